"""Ten thousand wrong codes against one account, from ten processes at once."""

import json
import os
import subprocess
import sys
import time

import pytest
from django.db import connection
from django.db.models import Sum
from django_otp.oath import TOTP

from numberverify import policy
from numberverify.choices import Method, Reason, Status
from numberverify.factors import recovery
from numberverify.models import RecoveryCode, Verification
from tests.factories import ANN, UserFactory
from tests.numberverify.typed import app_of, opened, shown_by, texted, tries, way_for
from tests.servers import ROOT

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
PROCESSES = 10
WRONG = 10_000
# What races is the first tries of each process: of the ways that come to the same
# counting UPDATE, and at one row, fewer show as much.
OF_ANOTHER_WAY, AT_ONE_ROW = 2_000, 500
ENOUGH = 400  # seconds, on a machine that has much else to do


@pytest.fixture
def ann():
    return UserFactory(phone=ANN)


def database_url() -> str:
    """The address of the tests' own database."""
    at = {name: str(value) for name, value in connection.settings_dict.items()}
    who = f"{at['USER']}:{at['PASSWORD']}".rstrip(":")
    return f"postgres://{who}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def guess(user, method, wrong, *, openers=0, right=()) -> list[dict[str, int]]:
    """Deal the wrong codes out to ten processes that set off together; so many open
    new rows between their tries. At the end each tries what is right."""
    variables = {"DATABASE_URL": database_url(), "DATABASE_POOL_SIZE": "3"}
    variables["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    # Each with limits of its own: what is tried here holds without them.
    variables["CACHE_URL"] = "locmemcache://"
    order = {"user": user.pk, "method": method, "number": ANN, "right": right}
    orders = [
        order | {"n": n, "codes": wrong[n::PROCESSES], "opens": n < openers}
        for n in range(PROCESSES)
    ]
    run = subprocess.run(
        [sys.executable, "-m", "tests.numberverify.guesser"],
        input=json.dumps(orders),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
        timeout=ENOUGH,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def counted(user) -> int:
    rows = Verification.objects.filter(user=user)
    return rows.aggregate(all=Sum("tries"))["all"]


def total(said, what: str) -> int:
    return sum(each[what] for each in said)


def six_digits(*, without: set[str]) -> list[str]:
    codes = (f"{n:06}" for n in range(WRONG + len(without)))
    return [code for code in codes if code not in without][:WRONG]


def test_of_text_messages_five_tries_are_counted_and_none_more(ann):
    row = opened(ann, Method.SMS)
    right = texted()

    wrong = six_digits(without={right})
    said = guess(ann, Method.SMS, wrong, openers=4, right=[right])

    assert total(said, "tried") >= WRONG - PROCESSES
    assert total(said, "let in") == 0
    assert counted(ann) <= policy.TRIES == 5
    assert not tries(row, right).right
    assert opened(ann, Method.SMS).reason == Reason.METHOD_CLOSED
    assert not Verification.objects.filter(status=Status.VERIFIED).exists()


def test_of_recovery_codes_five_tries_are_counted_and_none_more(ann):
    right = recovery.make(ann)
    row = opened(ann, Method.RECOVERY_CODE)

    wrong = [f"{n:016}" for n in range(OF_ANOTHER_WAY)]
    said = guess(ann, Method.RECOVERY_CODE, wrong, openers=PROCESSES, right=right[:1])

    assert (total(said, "tried"), total(said, "let in")) == (OF_ANOTHER_WAY, 0)
    assert counted(ann) == policy.TRIES
    assert not tries(row, right[0]).right
    assert opened(ann, Method.RECOVERY_CODE).reason == Reason.METHOD_CLOSED
    assert not RecoveryCode.objects.filter(used_at__isnull=False).exists()


@pytest.mark.parametrize("method", [Method.SMS, Method.RECOVERY_CODE])
def test_at_one_row_no_sixth_try_is_looked_at(ann, method):
    right = way_for(ann, method)
    opened(ann, method)
    code = right()

    wrong = [f"{n:016}" for n in range(AT_ONE_ROW)]
    if method == Method.SMS:
        wrong = six_digits(without={code})[:AT_ONE_ROW]
    said = guess(ann, method, wrong, right=[code])

    assert (total(said, "tried"), total(said, "let in")) == (AT_ONE_ROW, 0)
    assert total(said, "left more") < policy.TRIES == counted(ann)


def test_of_an_app_five_tries_are_counted_and_none_more(ann):
    app = app_of(ann)
    row = opened(ann, Method.TOTP)

    wrong = six_digits(without=shown_soon(app))[:OF_ANOTHER_WAY]
    said = guess(ann, Method.TOTP, wrong)

    assert (total(said, "tried"), total(said, "let in")) == (OF_ANOTHER_WAY, 0)
    assert counted(ann) == policy.TRIES
    assert not tries(row, shown_by(app)).right
    assert opened(ann, Method.TOTP).reason == Reason.METHOD_CLOSED
    assert not Verification.objects.filter(status=Status.VERIFIED).exists()


def shown_soon(app) -> set[str]:
    """What the app shows within the minutes around this one."""
    shown = TOTP(app.bin_key, app.step, app.t0, app.digits)
    found = set()
    for step in range(-3, 12):
        shown.time = time.time() + step * app.step
        found.add(f"{shown.token():06}")
    return found
