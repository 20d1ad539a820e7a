import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# Servers run no system checks. A view guarded by an action that the step-up table does
# not list, or a policy that cannot be, stops them at start and not at a request.
BaseCommand().check()
