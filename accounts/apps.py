from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from . import checks  # noqa: F401

        # `sign_in` writes it by a statement, at a fraction of what a save costs. Of no
        # effect where this app is ready before Django's.
        user_logged_in.disconnect(dispatch_uid="update_last_login")
