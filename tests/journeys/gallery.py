"""Every scene there is; and the few that show each page once, in its richest state."""

from importlib import import_module
from pathlib import Path

from .scenes import SCENES, shown

HERE = Path(__file__).parent
TEMPLATES = HERE.parent.parent / "templates"

shown("privacy", "/privacy/")
shown("language", "/language/")
for file in sorted(HERE.glob("*_scenes.py")):
    import_module(f".{file.stem}", __package__)

# By the folder of their templates; test_looks.py says when one is missing.
_BRIEF = {
    "": """home home_signed_in bad_request not_allowed csrf_failure not_found
        server_error database_away money_errors sandbox_home sandbox_handset_error""",
    "accounts": """signup_errors login_wrong browsers browser_forget_this
        close_account_errors email_change_errors email_change_confirm email_confirm
        email_close email_closed email_taken end_sessions export language login_frozen
        reset_link_over not_me not_me_done not_me_again number_taken
        password_change_errors reset reset_link reset_new_errors reset_sent phone_errors
        claim_keep phone_on_file release_stop phone_remove profile_with_checks
        profile_claimed""",
    "numberverify": """authenticator_errors authenticator_change ending_checking
        code_paper_wrong code_sms_wrong code_app step_up step_up_away ending_wifi
        ending_expired step_up_frozen limited limited_for_good ending_match
        ending_no_match step_up_number_needed recovery_codes_made ending_refused
        start_again store_away trial_page ending_waiting support_waiting
        ways_not_on_phone which_network_errors privacy handoff_desk
        handoff_refused_at_the_desk handoff_wrong_digits handoff_done handoff_on_wifi
        handoff_said_no handoff_mistyped""",
    "admin": """admin_index admin_history_with_export admin_wrong_filter
        admin_row_by_sms
        admin_export admin_history_overview admin_people admin_person
        admin_number_reason_errors
        admin_number_shown admin_forget admin_manual_ask_errors admin_manual_decide
        admin_manual_list admin_release_ask_errors admin_release_decide admin_number
        admin_number_events admin_claims admin_staff_records admin_seal""",
}
BRIEF = {folder: names.split() for folder, names in _BRIEF.items()}


def folder_of(template: str) -> str:
    """Return whose scenes show a template."""
    first = template.partition("/")[0] if "/" in template else ""
    return first if first in BRIEF else ""


def pages(folder: str) -> set[str]:
    """Return the templates of whole pages: each begins by what it extends."""
    found = {str(f.relative_to(TEMPLATES)): f for f in TEMPLATES.rglob("*.html")}
    return {
        name
        for name, file in found.items()
        if folder_of(name) == folder
        and file.read_text().startswith(("{% extends", "<!doctype"))
        and not name.endswith(("base.html", "base_site.html"))
    }


__all__ = ["BRIEF", "SCENES", "pages"]
