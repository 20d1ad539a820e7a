import os
from importlib import import_module

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_asgi_application()
# Now and not at the first request: a view guarded by an action that the step-up table
# does not list stops the server at start.
import_module(settings.ROOT_URLCONF)
