"""The site's actions that take a fresh proof (NV_STEP_UP)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# docs/step-up.md says what may stand here; `manage.py step_up_policies` prints it.
STEP_UP: dict[str, dict[str, Any]] = {
    # Marked: what a thief of the number would do first.
    "password_change": {"label": _("change your password"), "sim_swap": True},
    "email_change": {"label": _("change your e-mail address"), "sim_swap": True},
    "change_phone": {"label": _("change your mobile number"), "sim_swap": True},
    "remove_phone": {"label": _("remove your mobile number")},
    # The SIM against another SIM: nothing weaker keeps a number.
    "keep_phone": {"label": _("keep your mobile number"), "methods": ["network"]},
    # Whoever shows to have the number; the word of staff says that it is lost.
    "stop_release": {
        "label": _("keep your mobile number"),
        "methods": ["network", "sms"],
    },
    "end_sessions": {
        "label": _("end your other sessions"),
        "serves": "age",
        "max_age": 600,
    },
    "forget_browser": {
        "label": _("forget another browser"),
        "serves": "age",
        "max_age": 600,
    },
    "export_data": {"label": _("export your data")},
    "close_account": {"label": _("close your account"), "sim_swap": True},
    # Of staff, about somebody else.
    "show_number": {"label": _("see the whole number of a person")},
    "forget_person": {"label": _("have a person forgotten")},
}
