from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


class NumberVerifyConfig(AppConfig):
    name = "numberverify"
    verbose_name = _("Number Verify")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Refuse to start, under any server, with an operator that cannot be asked."""
        from . import checks, routing  # noqa: F401
        from .errors import ConfigurationError

        try:
            routing.operators()
        except ConfigurationError as error:
            raise ImproperlyConfigured(str(error)) from error
