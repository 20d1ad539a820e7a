"""What staff export, show, have forgotten, and what is recorded of it."""

from datetime import UTC, datetime, timedelta

from django.test import override_settings

from accounts.models import User
from numberverify import forget, records, retention, seal
from numberverify.models import StaffRecord
from tests.factories import ANN, UserFactory
from tests.numberverify.history import HISTORY, row_of
from tests.numberverify.seal.past import begun

from .phone import Phone
from .scenes import scene

BEN = "+447700900456"
WHY = "request 2026-114"
JUNE = datetime(2026, 6, 12, 14, 30, tzinfo=UTC)


def boss_at(phone: Phone) -> User:
    boss = UserFactory(email="boss@example.com", staff=True, phone=ANN)
    phone.become(boss)
    return boss


def ben() -> User:
    person = UserFactory(email="ben@example.com", phone=BEN)
    row_of(JUNE, mismatched=True, user=person, msisdn=BEN, settled_at=JUNE)
    row_of(verified=True, user=person, msisdn=BEN)
    return person


@scene
def admin_history_with_export(phone, mails):
    boss_at(phone)
    ben()
    phone.open(f"{HISTORY}?outcome=mismatched&since=2026-06-01&until=2026-06-30")


@scene
def admin_export(phone, mails):
    admin_history_with_export(phone, mails)
    phone.page.get_by_role("link", name="Export what the filters show").click()
    phone.page.wait_for_url("**/export/**")


@scene
def admin_export_asks(phone, mails):
    admin_export(phone, mails)
    phone.press("Export")


@scene
def admin_export_confirmed(phone, mails):
    admin_export_asks(phone, mails)
    phone.press("Check my number")


@scene
def admin_person(phone, mails):
    boss_at(phone)
    phone.open(f"/admin/accounts/user/{ben().pk}/change/")


def at_person(phone: Phone, link: str) -> None:
    admin_person(phone, None)
    phone.page.get_by_role("link", name=link).click()
    phone.page.wait_for_url("**/number/" if "number" in link else "**/forget/")


@scene
def admin_number_reason(phone, mails):
    at_person(phone, "Show the whole number")


@scene
def admin_number_reason_errors(phone, mails):
    admin_number_reason(phone, mails)
    phone.press("Show the number")


@scene
def admin_number_shown(phone, mails):
    admin_number_reason(phone, mails)
    phone.fill(reason=WHY)
    phone.press("Show the number")
    phone.press("Check my number")
    phone.press("Show the number")


@scene
def admin_forget(phone, mails):
    at_person(phone, "Forget this person")


@scene
def admin_forgotten(phone, mails):
    admin_forget(phone, mails)
    phone.fill(reason=WHY)
    phone.press("Forget this person for good")
    phone.press("Check my number")
    phone.press("Forget this person for good")


@scene
def admin_seal(phone, mails):
    """May and June, a purge, somebody forgotten, and a check."""
    boss_at(phone)
    person = ben()
    for days in (900, 250, 249, 2, 1):
        begun(timedelta(days=days), user=person if days == 2 else None)
    seal.seal_due(batch=1)
    with override_settings(NV_RETENTION_DAYS=730):
        retention.purge_due()
    forget.person(person, by="staff 7", reason=WHY)
    records.note_command("root, by command", "checked", {"part": "all"}, rows=7)
    phone.open(f"{HISTORY}seal/?month={JUNE:%Y-%m}")


@scene
def admin_seal_errors(phone, mails):
    admin_seal(phone, mails)
    phone.open(f"{HISTORY}seal/?month=May")


@scene
def admin_staff_records(phone, mails):
    admin_number_shown(phone, mails)
    StaffRecord.objects.create(
        staff=User.objects.get(email="boss@example.com"),
        kind="export",
        details={"format": "csv", "filters": {"outcome": "mismatched"}},
        rows=1204,
    )
    by = "root, by command"
    records.note_command(by, "person_data", {"person": 12}, reason=WHY, rows=31)
    cut = StaffRecord.objects.create(
        staff=User.objects.get(email="boss@example.com"),
        kind="export",
        details={"format": "jsonl", "filters": {"fingerprint": "forgotten"}},
    )
    records.end(cut, rows=7_200_000, ending=StaffRecord.Ending.TIME)
    phone.open("/admin/numberverify/staffrecord/")
