from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


class NumberVerifyConfig(AppConfig):
    name = "numberverify"
    verbose_name = _("Number Verify")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Refuse to start, under any server and with any command, with an operator that
        cannot be asked."""
        from . import checks

        if found := checks.operators_can_be_asked(None):
            raise ImproperlyConfigured("\n".join(map(str, found)))
