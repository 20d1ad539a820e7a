"""Each column that names a person is given to them, or left out for a reason."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import Claim, Notice, NumberRelease, Pending
from accounts.personal import data_of
from numberverify.history.person import EXPORTED, by_staff
from numberverify.models import StaffRecord, Verification
from tests.factories import (
    ANN,
    AuthenticatorFactory,
    DeviceFactory,
    ManualRequestFactory,
    NumberReleaseFactory,
    PendingFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

PAGE = Path(settings.BASE_DIR, "docs/reference/personal-data.md").read_text("utf-8")
LINES = {
    name: (given, forgotten)
    for name, given, forgotten in re.findall(
        r"^\| `([\w.]+)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE
    )
}
OURS = ("accounts", "numberverify", "admin", "otp_totp", "auth", "sessions")


def of_people():
    """Each column, in any table, that names an account; and an account's own."""
    user = get_user_model()
    for model in apps.get_models():
        for field in (*model._meta.fields, *model._meta.many_to_many):
            if field.related_model is user or (model is user and field.is_relation):
                yield f"{model._meta.label}.{field.name}"


@pytest.mark.parametrize("column", sorted(of_people()))
def test_each_column_that_names_a_person_is_given_or_left_out_with_a_reason(column):
    given, forgotten = LINES[column]
    assert given.startswith(("not: ", "all of it", "`"))
    assert len(given) > 5
    assert len(forgotten) > 5


@pytest.mark.parametrize("field", Verification._meta.fields, ids=lambda f: f.name)
def test_each_column_of_a_verification_is_given_or_left_out_with_a_reason(field):
    assert (field.name in EXPORTED) != (field.name in LINES), field.name
    if field.name in EXPORTED:
        assert f"`{field.name}`" in PAGE


@pytest.mark.django_db
def test_what_the_table_says_is_given_is_in_the_file():
    ann, now = UserFactory(phone=ANN), timezone.now()
    DeviceFactory(user=ann)
    PendingFactory(user=ann, kind=Pending.Kind.PHONE_CHANGE)
    AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)
    row = VerificationFactory(verified=True, user=ann, attention=True)
    ManualRequestFactory(verification=row)
    Notice.objects.create(user=ann, kind="no_match", token_digest=b"x")
    NumberReleaseFactory(person=ann, outcome="expired", ended_at=now)
    over = {"verification": row.pk, "due_at": now, "ended_at": now, "outcome": "kept"}
    Claim.objects.create(claimant=ann, holder=UserFactory(), **over)
    Claim.objects.create(claimant=UserFactory(), holder=ann, **over)
    boss = UserFactory(email="boss@example.com", is_staff=True)
    StaffRecord.objects.create(
        staff=boss, kind="number_shown", details={"person": ann.pk}, reason="a case"
    )
    StaffRecord.objects.create(
        staff=boss, kind="export", details={"filters": {"person": str(ann.pk)}}
    )

    file = data_of(ann) | by_staff(ann)

    told = set(re.findall(r"`(\w+)`", " ".join(given for given, _ in LINES.values())))
    lists = {"groups", "permissions", "number_events", "changed_by_staff"}
    for name in told & set(file) - lists:
        assert file[name], name
    assert told - set(file) == {"verifications", "export_person"}
    assert NumberRelease.objects.get().evidence in str(file["releases"])
    assert [each["kind"] for each in file["staff_records"]] == [
        "export",
        "number_shown",
    ]
    assert "boss@" not in str(file)
