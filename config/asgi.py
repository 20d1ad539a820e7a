import os

from django.core.asgi import get_asgi_application
from django.core.management.base import BaseCommand

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_asgi_application()
# Servers run no system checks. A view guarded by an action that the step-up table does
# not list, or a policy that cannot be, stops them at start and not at a request.
BaseCommand().check()
