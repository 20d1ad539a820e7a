"""System checks of the accounts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

FOR_DEVELOPMENT = {"console", "dummy", "locmem"}


@register(Tags.security, deploy=True)
def mail_leaves_the_machine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    kind = settings.EMAIL_BACKEND.split(".")[-2]
    if kind not in FOR_DEVELOPMENT:
        return []
    hint = "Set EMAIL_URL. The console would print links that are keys to accounts."
    return [Error(f"Mail goes to: {kind}.", hint=hint, id="accounts.E001")]
