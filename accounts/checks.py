"""System checks of the accounts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from numberverify.choices import Method

FOR_DEVELOPMENT = {"console", "dummy", "locmem"}


@register(Tags.security, deploy=True)
def mail_leaves_the_machine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    kind = settings.EMAIL_BACKEND.split(".")[-2]
    if kind not in FOR_DEVELOPMENT:
        return []
    hint = "Set EMAIL_URL. The console would print links that are keys to accounts."
    return [Error(f"Mail goes to: {kind}.", hint=hint, id="accounts.E001")]


@register()
def staff_change_no_numbers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    methods = settings.NV_STEP_UP.get("change_phone", {}).get("methods", ())
    if Method.MANUAL not in methods:
        return []
    message = "NV_STEP_UP: 'change_phone' may not accept a manual verification."
    return [Error(message, id="accounts.E002")]
