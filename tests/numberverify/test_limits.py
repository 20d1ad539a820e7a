"""Limits on starts, text messages, typed codes and verdicts.

OWASP ASVS 5.0.0: 2.3.2, 2.4.1, 6.6.3; NIST SP 800-63B-4: 3.1.2.2, 3.2.2, 4.2.1.1.
"""

import pytest
from django.test import Client

from numberverify import flow, limits, rates, windows
from numberverify.browser import Browser, Way
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.errors import Limited, StoreAway
from numberverify.factors import sms
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Callback
from tests.accounts.steps import log_in
from tests.accounts.test_limits import Counted, redis_at
from tests.factories import ANN, BINDING, UserFactory, VerificationFactory
from tests.numberverify.typed import (
    app_of,
    later,
    shown_by,
    texted,
    type_at,
    way_for,
    wrong,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operator")]
HERE, ELSEWHERE = "203.0.113.66", "198.51.100.1"
BEN, FRENCH = "+447700900982", "+33639981234"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def away(settings):
    redis_at(settings, "redis://127.0.0.1:1/0")


def start(
    number=ANN,
    user=None,
    *,
    purpose=None,
    at=HERE,
    known=False,
    method=Method.NETWORK,
    binding=BINDING,
    way=None,
):
    """Begin; return the row."""
    before = list(Verification.objects.values_list("pk", flat=True))
    flow.start(
        purpose=purpose or (Purpose.LOGIN if user else Purpose.SIGNUP),
        msisdn=Msisdn(number),
        user=user,
        browser=Browser(binding, at, "Tests/1.0", known, network=at),
        next="/accounts/profile/",
        way=way or Way(method),
    )
    return Verification.objects.exclude(pk__in=before).get()


def count(begin, times):
    """Begin so often; return how often it went."""
    went = 0
    for _ in range(times):
        try:
            begin()
        except Limited:
            continue
        went += 1
    return went


def settle(row, status):
    """As the operator's answer does."""
    Verification.objects.filter(pk=row.pk).update(status=Status.EXCHANGING)
    limits.settled(row, status)


def come_back(row, **brought):
    """The callback of a row, claimed."""
    Verification.objects.filter(pk=row.pk).update(status=Status.EXCHANGING)
    return flow.exchange_and_settle(row, Callback(**brought))


# Starts


@pytest.mark.parametrize(
    ("limit", "begin", "other"),
    [
        pytest.param(
            "start_number",
            lambda ann, n: start(at=f"203.0.113.{n}"),
            lambda ann: start(BEN),
            id="number",
        ),
        pytest.param(
            "start_account",
            lambda ann, n: start(user=ann, at=f"203.0.113.{n}"),
            lambda ann: start(BEN, user=UserFactory(phone=BEN)),
            id="account",
        ),
        pytest.param(
            "start_address",
            lambda ann, n: start(f"+4477009009{n:02}"),
            lambda ann: start(at=ELSEWHERE),
            id="address",
        ),
        pytest.param(
            "start_dialling_code",
            lambda ann, n: start(f"+4477009009{n:02}", at=f"203.0.113.{n}"),
            lambda ann: start(FRENCH),
            id="dialling code",
        ),
    ],
)
def test_v5_0_0_2_4_1_starts_are_limited_by(ann, settings, limit, begin, other):
    spare = rates.DEFAULTS.get(f"{limit}_spare")
    settings.NV_LIMITS = f"{limit}=3/5m" + (f",{spare.name}=1/5m" if spare else "")
    for n in range(3):
        begin(ann, n)
    if spare:
        begin(ann, 4)

    with pytest.raises(Limited) as limited:
        begin(ann, 4)

    assert limited.value.name == limit
    assert 290 < limited.value.retry_after <= 300
    assert Verification.objects.count() == (4 if spare else 3)
    other(ann)


def test_v5_0_0_2_3_2_the_defaults_are_the_documented_ones(ann):
    assert count(start, 12) == 10
    assert count(lambda: start(BEN, at=""), 102) == 100
    assert count(lambda: start(user=ann, at=""), 22) == 20


def test_a_start_at_a_limit_writes_nothing_and_asks_nobody(ann, operator, settings):
    settings.NV_LIMITS = "start_account=1/5m"
    start(user=ann)

    with pytest.raises(Limited):
        start(user=ann, method=Method.SMS)

    assert Verification.objects.count() == 1
    assert operator.calls == []
    assert sms.outbox == []


def test_a_strangers_starts_do_not_close_a_number_to_its_account(ann):
    for n in range(10):
        assert count(lambda: start(at=f"192.0.2.{n}"), 11) == 10  # noqa: B023

    with pytest.raises(Limited, match="start_number"):
        start()
    start(user=ann)


def test_one_address_does_not_close_a_number_to_a_signup_elsewhere():
    assert count(lambda: start(at=ELSEWHERE), 25) == 10

    start(at=HERE)


def test_a_flood_from_many_addresses_keeps_no_newcomer_out(settings, caplog):
    """Ten networks use up a country's signups; whoever comes new gets through."""
    settings.NV_LIMITS = "start_dialling_code=10/10m"
    for n in range(10):
        start(f"+4477009009{n:02}", at=f"2001:db8:0:{n}::1")
    assert "is reached" not in caplog.text

    assert count(lambda: start(BEN, at=HERE), 7) == 5
    assert "the limit start_dialling_code is reached" in caplog.text
    start(FRENCH, at=HERE)


def test_a_text_messages_flood_keeps_no_newcomer_out(settings):
    settings.NV_LIMITS = "text_dialling_code=3/d"
    for n in range(3):
        start(f"+4477009009{n:02}", at=f"192.0.2.{n}", method=Method.SMS)

    row = start(BEN, at=HERE, method=Method.SMS)

    assert row.status == Status.PENDING
    assert len(sms.outbox) == 4


def test_a_town_behind_one_address_is_not_shut_out(ann, settings):
    settings.NV_LIMITS = "start_address=3/10m"
    assert count(lambda: start(BEN), 9) == 6

    assert count(lambda: start(user=ann), 9) == 3
    start()


def test_an_outage_gives_the_dialling_code_back_as_well(settings):
    settings.NV_LIMITS = "start_dialling_code=2/10m,start_dialling_code_spare=1/h"

    def try_in_vain():
        come_back(start(), error="temporarily_unavailable")

    assert count(try_in_vain, 12) == 12


def test_errors_that_a_browser_brings_back_itself_are_limited(settings):
    """They look like an outage: without this a script would begin without end."""
    settings.NV_LIMITS = "start_address=4/10m,start_address_spare=1/10m"

    def make_one_up():
        come_back(start(), error="server_error")

    assert count(make_one_up, 12) == 5


def test_starts_in_strange_browsers_use_up_none_of_a_known_one(ann):
    assert count(lambda: start(user=ann), 25) == 20

    start(user=ann, known=True)


def test_a_known_browser_does_not_share_its_addresss_limit(ann, settings):
    settings.NV_LIMITS = "start_address=1/10m,start_address_spare=1/10m"
    start(BEN)

    start(user=ann, known=True)
    start(user=ann)
    with pytest.raises(Limited):
        start(user=ann)


# What counts against a person


def test_an_outage_never_uses_up_a_persons_tries(ann, operator):
    operator.close()

    def try_in_vain():
        row = start(user=ann)
        if row.is_open:  # else its breaker spares us the wait
            come_back(row, code="code")
        row.refresh_from_db()
        assert row.status == Status.UNAVAILABLE

    assert count(try_in_vain, 40) == 40


def test_an_outage_never_uses_up_a_numbers_tries(settings):
    settings.NV_LIMITS = "start_number=2/5m,no_number=1/h"

    def try_in_vain():
        come_back(start(), error="temporarily_unavailable")

    assert count(try_in_vain, 12) == 12


def test_what_has_run_out_counts_no_more(ann, stores_in_process):
    assert count(lambda: start(user=ann), 25) == 20
    with later(minutes=5, seconds=1):
        assert count(lambda: start(user=ann), 1) == 1
    with later(minutes=30):
        assert count(lambda: start(user=ann), 20) == 20


@pytest.mark.parametrize("settled", [Status.VERIFIED, Status.UNAVAILABLE])
def test_neither_a_match_nor_no_answer_counts_as_a_verdict(ann, settings, settled):
    settings.NV_LIMITS = "no_account=1/h"
    for _ in range(5):
        settle(start(user=ann), settled)


@pytest.mark.parametrize("settled", [Status.MISMATCHED, Status.REFUSED])
def test_no_match_and_refused_count_against_the_account(ann, settings, settled):
    settings.NV_LIMITS = "no_account=3/h"
    for _ in range(3):
        settle(start(user=ann), settled)

    with pytest.raises(Limited, match="no_account"):
        start(user=ann)
    start(user=ann, known=True)
    start(BEN, user=UserFactory(phone=BEN))


def test_too_many_no_matches_leave_an_app_open(ann, settings):
    settings.NV_LIMITS = "no_account=1/h"
    app_of(ann)
    settle(start(user=ann), Status.MISMATCHED)

    assert start(user=ann, method=Method.TOTP).status == Status.PENDING


def test_of_two_verdicts_at_once_both_stand(ann, settings):
    settings.NV_LIMITS = "no_account=1/h"
    rows = [start(user=ann), start(user=ann)]

    for row in rows:
        settle(row, Status.MISMATCHED)

    with pytest.raises(Limited):
        start(user=ann)


def test_a_no_match_of_the_network_counts(ann, browser, operator, settings):
    settings.NV_LIMITS = "no_account=1/h"
    operator.sim = "+447700900999"
    log_in(browser, ann)  # given up
    assert (
        "not" in browser.follow(browser.come_back(operator, log_in(browser, ann))).text
    )

    assert Verification.objects.filter(status=Status.MISMATCHED).count() == 1
    page = log_in(browser, ann)
    assert page.status_code == 429
    assert "Your mobile network was not asked this time." in page.text


def test_a_strangers_no_match_does_not_close_a_number_to_its_owner(settings):
    settings.NV_LIMITS = "no_number=1/h"
    settle(start(at=ELSEWHERE), Status.MISMATCHED)

    with pytest.raises(Limited, match="no_number"):
        start(at=ELSEWHERE)
    start(at=HERE)
    start(BEN, at=ELSEWHERE)


def test_too_many_wrong_codes_count_against_the_account(ann, client, settings):
    settings.NV_LIMITS = "no_account=1/h"
    row = open_code(client, ann)
    for _ in range(5):
        type_at(client, row, wrong(texted()))
    row.refresh_from_db()
    assert row.status == Status.REFUSED

    with pytest.raises(Limited, match="no_account"):
        start(user=ann)


@pytest.mark.parametrize(
    ("begin", "reason"),
    [
        (lambda: start(FRENCH), Reason.NO_OPERATOR),
        (lambda: start(way=Way(not_on_phone=True)), Reason.NOT_ON_PHONE),
        (lambda: start(method=Method.SMS), Reason.METHOD_CLOSED),
    ],
)
def test_what_is_over_at_once_counts_nothing(operator, settings, begin, reason):
    settings.NV_OPERATORS = {"fake": operator.table() | {"countries": ["GB"]}}
    settings.NV_LIMITS = "start_number=1/5m,text_number=1/d,text_address=1/h"
    settings.SMS_BACKEND = ""

    for _ in range(4):
        row = begin()
        assert (row.status, row.reason) == (Status.UNAVAILABLE, reason)


def test_for_its_address_even_that_counts(operator, settings):
    settings.NV_OPERATORS = {"fake": operator.table() | {"countries": ["GB"]}}
    settings.NV_LIMITS = "start_address=3/10m,start_address_spare=1/10m"

    assert count(lambda: start(FRENCH), 6) == 4


class Broken:
    makes_codes = False

    def send(self, msisdn, text):
        raise OSError


def test_a_text_message_that_could_not_be_sent_counts_nothing(settings):
    settings.SMS_BACKEND = f"{__name__}.Broken"
    settings.NV_LIMITS = "text_number=1/d,start_number=1/5m"

    for _ in range(4):
        row = start(method=Method.SMS)
        row.refresh_from_db()
        assert row.reason == Reason.SMS_NOT_SENT


# Text messages


@pytest.mark.parametrize(
    ("limit", "begin", "other"),
    [
        pytest.param(
            "text_number",
            lambda ann, n: start(at=f"203.0.113.{n}", binding=f"b{n}"),
            lambda ann: start(BEN),
            id="number",
        ),
        pytest.param(
            "text_account",
            lambda ann, n: start(user=ann, at=f"203.0.113.{n}"),
            lambda ann: start(user=ann, known=True),
            id="account",
        ),
        pytest.param(
            "text_address",
            lambda ann, n: start(f"+4477009009{n:02}"),
            lambda ann: start(at=ELSEWHERE),
            id="address",
        ),
        pytest.param(
            "text_dialling_code",
            lambda ann, n: start(f"+4477009009{n:02}", at=f"203.0.113.{n}"),
            lambda ann: start(user=ann),
            id="dialling code, of numbers that are on no file",
        ),
    ],
)
def test_v5_0_0_2_4_1_text_messages_are_limited_by(
    ann, settings, monkeypatch, limit, begin, other
):
    by_text = start.__kwdefaults__ | {"method": Method.SMS}
    monkeypatch.setattr(start, "__kwdefaults__", by_text)
    spare = rates.DEFAULTS.get(f"{limit}_spare")
    settings.NV_LIMITS = f"{limit}=2/h" + (f",{spare.name}=1/h" if spare else "")
    begin(ann, 0), begin(ann, 1)
    if spare:
        begin(ann, 2)

    with pytest.raises(Limited, match=limit):
        begin(ann, 2)

    sent = len(sms.outbox)
    assert sent == (3 if spare else 2)
    other(ann)
    assert len(sms.outbox) == sent + 1


def test_v5_0_0_2_4_1_asking_for_another_code_is_limited_too(ann, client, settings):
    settings.NV_LIMITS = "text_account=2/h"
    row = open_code(client, ann)
    with later(seconds=40):
        sent = client.post(f"/verify/{row.pk}/", {"resend": "1"})
    with later(seconds=80):
        refused = client.post(f"/verify/{row.pk}/", {"resend": "1"})

    assert (sent.status_code, refused.status_code) == (303, 429)
    assert len(sms.outbox) == 2
    assert "Too many text messages" in refused.text


def test_another_code_counts_for_the_dialling_code_of_a_new_number(client, settings):
    settings.NV_LIMITS = "text_dialling_code=1/h,text_dialling_code_spare=1/h"
    row = open_code(client, None)
    said = []
    for seconds in (40, 80):
        with later(seconds=seconds):
            page = client.post(f"/verify/{row.pk}/", {"resend": "1"})
            said.append(page.status_code)

    assert said == [303, 429]
    assert len(sms.outbox) == 2


def test_with_the_store_away_no_text_message_leaves(ann, away):
    with pytest.raises(StoreAway):
        start(user=ann, method=Method.SMS)

    assert sms.outbox == []


def test_with_the_store_away_the_network_is_asked_all_the_same(ann, away):
    assert start(user=ann).status == Status.PENDING


def test_with_the_store_away_a_verdict_stands(ann, operator, settings):
    row = start(user=ann)
    redis_at(settings, "redis://127.0.0.1:1/0")
    operator.close()

    come_back(row, code="code")

    row.refresh_from_db()
    assert row.status == Status.UNAVAILABLE


# Typed codes


def open_code(client: Client, user, method=Method.SMS, **how):
    client.cookies["nv_binding"] = BINDING
    return start(user=user, method=method, **how)


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_nist_4_2_1_1_wrong_codes_of_each_kind_are_limited(
    ann, client, settings, method
):
    settings.NV_LIMITS = "code_account=2/h"
    right = way_for(ann, method)
    row = open_code(client, ann, method)

    said = [
        client.post(f"/verify/{row.pk}/", {"code": code}).status_code
        for code in [*mistaken(method), right()]
    ]

    assert said == [200, 200, 429]
    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.PENDING, 2)


def mistaken(method):
    return [
        "0000-0000-0000-000" + n if method == Method.RECOVERY_CODE else "00000" + n
        for n in "12"
    ]


def test_v5_0_0_6_6_3_a_new_code_brings_no_new_tries(ann, client, settings):
    settings.NV_LIMITS = "code_account=3/h"
    row = open_code(client, ann)
    for _ in range(2):
        type_at(client, row, wrong(texted()))
    with later(seconds=40):
        client.post(f"/verify/{row.pk}/", {"resend": "1"})
        type_at(client, row, wrong(texted()))
        assert type_at(client, row, texted()).status_code == 429

    assert len(sms.outbox) == 2


def test_v5_0_0_6_6_3_in_new_browsers_a_number_has_no_more_tries(settings):
    """Each has five of its own in the history; the number has twenty in all."""
    settings.NV_LIMITS = "code_number=7/h,code_address=100/h"
    said = []
    for n in range(2):
        guesser = Client()
        guesser.cookies["nv_binding"] = f"guesser {n}"
        row = start(method=Method.SMS, binding=f"guesser {n}")
        code = wrong(texted())
        for _ in range(4):
            said.append(guesser.post(f"/verify/{row.pk}/", {"code": code}).status_code)

    assert said == [200] * 7 + [429]


def test_wrong_codes_from_one_address_are_limited_over_accounts(client, settings):
    settings.NV_LIMITS = "code_address=2/h"
    said = []
    for number in (ANN, BEN, "+447700900321"):
        row = open_code(client, UserFactory(phone=number), number=number)
        said.append(type_at(client, row, wrong(texted())).status_code)

    assert said == [200, 200, 429]


def test_right_codes_do_not_count(ann, client, settings):
    settings.NV_LIMITS = "code_account=1/h"
    app = app_of(ann)
    for n in range(3):
        with later(minutes=n):
            row = open_code(client, ann, Method.TOTP)
            client.post(f"/verify/{row.pk}/", {"code": shown_by(app)})
        row.refresh_from_db()
        assert row.status == Status.VERIFIED


class NobodyChecks:
    makes_codes = True

    def send_code(self, msisdn, text):
        return "reference"

    def check_code(self, reference, code):
        raise OSError


def test_a_code_that_nobody_could_check_does_not_count(ann, client, settings):
    settings.SMS_BACKEND = f"{__name__}.NobodyChecks"
    settings.NV_LIMITS = "code_account=1/h"
    row = open_code(client, ann)

    said = [type_at(client, row, "123456") for _ in range(4)]

    assert all("Nobody could check" in page.text for page in said)


def test_a_code_that_a_no_match_has_closed_does_not_count(ann, client, settings):
    settings.NV_LIMITS = "code_account=1/h"
    for _ in range(3):
        row = open_code(client, ann)
        no = VerificationFactory(mismatched=True, user=ann)

        page = type_at(client, row, texted())

        row.refresh_from_db()
        assert (page.status_code, row.reason) == (200, Reason.METHOD_CLOSED)
        # As after the hour for which it closes that way.
        Verification.objects.filter(pk=no.pk).update(user=None)


def test_with_the_store_away_no_code_is_looked_at(ann, client, settings):
    row = open_code(client, ann)
    redis_at(settings, "redis://127.0.0.1:1/0")

    page = type_at(client, row, texted())

    assert page.status_code == 503
    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.PENDING, 0)


@pytest.mark.parametrize("typed", ["right", "wrong", "the last wrong one"])
def test_a_typed_code_costs_two_round_trips_at_most(ann, client, monkeypatch, typed):
    row = open_code(client, ann)
    if typed == "the last wrong one":
        Verification.objects.filter(pk=row.pk).update(tries=4)
    counted = Counted(windows.in_process)
    monkeypatch.setattr("numberverify.limits.store", lambda: counted)

    client.post(
        f"/verify/{row.pk}/",
        {"code": texted() if typed == "right" else wrong(texted())},
    )

    assert 1 <= counted.trips <= 2


def test_rows_that_somebody_else_wrote_have_an_address_or_none():
    """The history holds what the server knew: a verdict counts all the same."""
    row = VerificationFactory(ip=None, user=None)

    limits.settled(row, Status.MISMATCHED)


# By the rows of the standards


def test_nist_3_1_2_2_look_up_secrets_are_limited(ann, client, settings):
    """Recovery codes, by the rate of the account as well as by the row's own tries."""
    settings.NV_LIMITS = "code_account=2/h"
    right = way_for(ann, Method.RECOVERY_CODE)
    row = open_code(client, ann, Method.RECOVERY_CODE)

    said = [
        client.post(f"/verify/{row.pk}/", {"code": code}).status_code
        for code in [*mistaken(Method.RECOVERY_CODE), right()]
    ]

    assert said == [200, 200, 429]
    row.refresh_from_db()
    assert row.status == Status.PENDING


def test_nist_3_1_3_2_a_new_code_does_not_begin_the_count_of_failures_anew(ann, client):
    row = open_code(client, ann)
    for _ in range(4):
        type_at(client, row, wrong(texted()))
    with later(seconds=40):
        client.post(f"/verify/{row.pk}/", {"resend": "1"})
        type_at(client, row, wrong(texted()))
        type_at(client, row, texted())

    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.REFUSED, 5)


def test_v5_0_0_16_3_3_a_limit_that_is_reached_is_logged_and_names_nobody(
    ann, settings, caplog
):
    settings.NV_LIMITS = "start_account=1/5m,start_number=1/5m"
    count(lambda: start(user=ann), 2)
    count(lambda: start(BEN, at=ELSEWHERE), 2)

    assert "the limit start_account is reached" in caplog.text
    assert "the limit start_number is reached" in caplog.text
    for secret in ("ann@", "7700900", HERE, ELSEWHERE):
        assert secret not in caplog.text


def test_v5_0_0_16_5_2_with_the_store_away_people_still_prove_their_number(ann, away):
    assert start(user=ann).status == Status.PENDING


def test_v5_0_0_16_5_3_with_the_store_away_guessing_is_closed(ann, client, away):
    row = VerificationFactory(user=ann, method=Method.TOTP, operator="")

    client.cookies["nv_binding"] = BINDING

    assert type_at(client, row, "000000").status_code == 503
    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.PENDING, 0)
