"""The page for what is no request of ours, which mostly no middleware has seen."""

from django.views import defaults

from accounts.languages import in_its_language

bad_request = in_its_language(defaults.bad_request)
