"""A person's own ways: an authenticator app, and codes on paper."""

import re
from hashlib import sha256

import pytest
from django.utils import timezone

from numberverify.choices import Method, Reason, Status
from numberverify.factors import recovery
from numberverify.models import RecoveryCode, Verification
from tests.factories import ANN, BINDING, UserFactory
from tests.numberverify.typed import (
    app_of,
    later,
    opened,
    shown_by,
    state_of,
    texted,
    tries,
    type_at,
    way_for,
    wrong,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
COUNTED = [Method.SMS, Method.RECOVERY_CODE]


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def holder(client):
    client.cookies["nv_binding"] = BINDING
    return client


# An authenticator app


def test_a_used_step_is_refused_for_ever(ann):
    app = app_of(ann)
    code = shown_by(app)
    assert tries(opened(ann, Method.TOTP), code).right

    assert not tries(opened(ann, Method.TOTP, known=True), code).right
    app.refresh_from_db()
    app.throttle_reset()
    assert not tries(opened(ann, Method.TOTP), code).right


def test_the_step_before_a_used_one_is_refused_as_well(ann):
    app = app_of(ann)
    earlier = shown_by(app)
    with later(seconds=30):
        assert tries(opened(ann, Method.TOTP), shown_by(app)).right
        assert not tries(opened(ann, Method.TOTP), earlier).right

    with later(seconds=60):
        assert tries(opened(ann, Method.TOTP), shown_by(app)).right


def test_wrong_codes_of_the_app_count_like_others(holder, ann):
    app = app_of(ann)
    row = opened(ann, Method.TOTP)

    left = [tries(row, wrong(shown_by(app))).left for _ in range(5)]

    assert left == [4, 3, 2, 1, 0]
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)
    assert not tries(row, shown_by(app)).right
    assert tries(opened(ann, Method.TOTP, known=True), shown_by(app)).right


@pytest.mark.usefixtures("stores_in_process")
@pytest.mark.parametrize("method", COUNTED)
def test_after_a_hundred_wrong_codes_in_a_row_the_way_is_closed(ann, method):
    way_for(ann, method)
    for n in range(20):
        with later(days=n):
            row = opened(ann, method)
            Verification.objects.filter(pk=row.pk).update(tries=5)

    with later(days=30):
        assert opened(ann, method).reason == Reason.METHOD_CLOSED
        known = opened(ann, method, known=True)
        Verification.objects.filter(pk=known.pk).right_code(now=timezone.now())
        assert opened(ann, method).reason == ""


def test_the_app_of_somebody_else_opens_nothing(ann):
    app_of(ann)
    bens = app_of(UserFactory())

    assert not tries(opened(ann, Method.TOTP), shown_by(bens)).right


def test_one_code_of_the_app_settles_one_row(ann):
    app = app_of(ann)
    rows = [opened(ann, Method.TOTP, known=known) for known in (True, False)]

    right = [tries(row, shown_by(app)).right for row in rows]

    assert right == [True, False]
    assert [state_of(row)[0] for row in rows] == [Status.VERIFIED, Status.PENDING]


def test_an_app_that_was_removed_meanwhile_opens_nothing(ann):
    app = app_of(ann)
    row = opened(ann, Method.TOTP)
    code = shown_by(app)
    app.delete()

    assert not tries(row, code).right
    assert opened(ann, Method.TOTP).reason == Reason.METHOD_CLOSED


def test_an_app_that_was_never_confirmed_is_none(ann):
    app = app_of(ann)
    app.confirmed = False
    app.save()

    assert opened(ann, Method.TOTP).reason == Reason.METHOD_CLOSED


# Recovery codes


def test_there_are_ten_of_80_bits_of_which_hmacs_stay(ann):
    made = recovery.make(ann)
    kept = {bytes(row.digest) for row in RecoveryCode.objects.filter(user=ann)}

    assert len(set(made)) == len(kept) == 10
    assert len(recovery.ALPHABET) == 32
    for code in made:
        assert re.fullmatch(rf"([{recovery.ALPHABET}]{{4}}-){{3}}.{{4}}", code)
        plain = code.replace("-", "")
        assert not kept & {sha256(c.encode()).digest() for c in (code, plain)}


@pytest.mark.parametrize(
    "as_typed",
    [
        pytest.param(str.lower, id="lower case"),
        pytest.param(lambda code: code.replace("-", ""), id="no hyphens"),
        pytest.param(lambda code: code.replace("-", " "), id="spaces"),
        pytest.param(lambda code: f"  {code} ", id="spaces around"),
        pytest.param(lambda code: code.replace("0", "O"), id="O for 0"),
        pytest.param(lambda code: code.replace("1", "l"), id="l for 1"),
        pytest.param(lambda code: code.replace("1", "I"), id="I for 1"),
    ],
)
def test_a_recovery_code_is_read_as_it_was_meant(holder, ann, monkeypatch, as_typed):
    others = "".join(letter * recovery.LENGTH for letter in "GHJKMNPQR")
    digits = iter("0123456789ABCDEF" + others)
    with monkeypatch.context() as patched:
        patched.setattr("secrets.choice", lambda among: next(digits))
        code = recovery.make(ann)[0]
    row = opened(ann, Method.RECOVERY_CODE)

    type_at(holder, row, as_typed(code))

    assert state_of(row) == (Status.VERIFIED, "")


@pytest.mark.parametrize("typed", ["", "ABCD", "A" * 15, "A" * 17, "U" * 16, "é" * 16])
def test_what_is_no_recovery_code_costs_no_try(holder, ann, typed):
    recovery.make(ann)
    row = opened(ann, Method.RECOVERY_CODE)

    page = type_at(holder, row, typed)

    assert page.context["form"].errors["code"]
    assert Verification.objects.get(pk=row.pk).tries == 0


def test_a_recovery_code_is_spent_once(ann):
    code, other = recovery.make(ann)[:2]
    assert tries(opened(ann, Method.RECOVERY_CODE), code).right

    assert recovery.left(ann.pk) == 9
    assert not tries(opened(ann, Method.RECOVERY_CODE), code).right
    assert tries(opened(ann, Method.RECOVERY_CODE), other).right


def test_a_new_set_replaces_the_old(ann):
    old = recovery.make(ann)[0]
    new = recovery.make(ann)[0]

    assert recovery.left(ann.pk) == 10
    assert not tries(opened(ann, Method.RECOVERY_CODE), old).right
    assert tries(opened(ann, Method.RECOVERY_CODE), new).right


def test_the_codes_of_somebody_else_open_nothing(ann):
    recovery.make(ann)
    bens = recovery.make(UserFactory())[0]

    assert not tries(opened(ann, Method.RECOVERY_CODE), bens).right


def test_a_recovery_code_outlives_a_new_key(ann, settings):
    code = recovery.make(ann)[0]
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]

    assert tries(opened(ann, Method.RECOVERY_CODE), code).right


def test_with_all_codes_spent_the_way_is_closed(ann):
    for code in recovery.make(ann):
        assert tries(opened(ann, Method.RECOVERY_CODE), code).right

    assert opened(ann, Method.RECOVERY_CODE).reason == Reason.METHOD_CLOSED


def test_a_code_that_is_typed_in_another_browser_is_not_looked_at(client, ann):
    row = opened(ann, Method.SMS)
    client.cookies["nv_binding"] = "another browser"

    assert type_at(client, row, texted()).status_code == 404
    client.force_login(ann)
    type_at(client, row, texted())
    assert state_of(row) == (Status.PENDING, "")
