"""One verification's page: its sentence, its steps, its journey, its links."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numberverify.choices import Because, Method, Purpose, Reason, Status
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.history import HISTORY, row_of, rows_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


def page_of(staff, row):
    page = staff.get(f"{HISTORY}{row.pk}/change/")
    assert page.status_code == 200
    return page


def facts_of(page):
    return {str(name): value for name, value in page.context["facts"]}


def test_it_says_what_happened_and_why(staff):
    row = VerificationFactory(
        mismatched=True,
        purpose=Purpose.LOGIN,
        asked_because=Because.NEW_BROWSER,
        operator="vodafone-uk",
    )

    said = "Asked because this browser was new. vodafone-uk said"

    text = page_of(staff, row).text
    assert said.replace("vodafone", "Vodafone") in text
    assert "said that the SIM has another number." in text
    assert "<h1>✗ No match</h1>" in text


def test_its_steps_are_in_order_with_their_times(staff):
    at = timezone.now().replace(microsecond=7_000) - timedelta(minutes=1)
    row = VerificationFactory(
        verified=True,
        created_at=at,
        claimed_at=at + timedelta(seconds=2),
        settled_at=at + timedelta(seconds=2.4),
        redeemed_at=at + timedelta(seconds=3),
        operator_ms=321,
    )

    page = page_of(staff, row)

    steps = [(step.after, step.words) for step in page.context["steps"]]
    assert steps == [
        ("", "Started."),
        ("+2.0 s", "The browser came back, and the sandbox network was asked."),
        ("+2.4 s", "Settled: Match. Asking took 321 ms."),
        ("+3.0 s", "Redeemed: the proof was spent on what it is for."),
    ]
    assert f"{at:%Y-%m-%d %H:%M:%S}.007 UTC" in page.text


def test_a_text_message_is_a_step_where_it_came(staff):
    at = timezone.now() - timedelta(minutes=1)
    row = VerificationFactory(
        method=Method.SMS, created_at=at, sent_at=at + timedelta(seconds=1), sends=1
    )

    steps = page_of(staff, row).context["steps"]

    words = [step.words for step in steps]
    assert words == ["Started.", "The last text message was handed over."]


def test_it_shows_the_rows_before_and_after_it(staff):
    now = timezone.now()
    first = row_of(now, unavailable=True)
    second = row_of(
        now + timedelta(seconds=1), settled=True, status="expired", previous=first.pk
    )
    third = row_of(now + timedelta(seconds=2), verified=True, previous=second.pk)
    also = row_of(now + timedelta(seconds=3), verified=True, previous=second.pk)
    VerificationFactory(verified=True)

    page = page_of(staff, second)

    assert [line.row for line in page.context["previous"]] == [first]
    assert [line.row for line in page.context["following"]] == [third, also]
    assert f"{HISTORY}{first.pk}/change/" in page.text
    assert f"{HISTORY}{third.pk}/change/" in page.text


def test_a_long_journey_takes_no_more_queries_than_a_short_one(
    staff, django_assert_num_queries
):
    row = VerificationFactory(unavailable=True, user=UserFactory())
    VerificationFactory(verified=True, user=UserFactory(), previous=row.pk)
    page_of(staff, row)  # the first request starts the clocks of the session
    with CaptureQueriesContext(connection) as short:
        page_of(staff, row)
    for _ in range(5):
        VerificationFactory(verified=True, user=UserFactory(), previous=row.pk)

    with django_assert_num_queries(len(short)):
        page_of(staff, row)


def test_a_row_that_stands_alone_speaks_of_no_journey(staff):
    row = VerificationFactory(verified=True, previous=VerificationFactory.build().pk)

    assert "The same journey" not in page_of(staff, row).text


def test_it_links_to_the_others_of_number_person_address_and_operator(staff):
    ann = UserFactory()
    row = VerificationFactory(verified=True, user=ann, ip="192.0.2.7")
    same_number = VerificationFactory(verified=True, operator="x")
    same_person = VerificationFactory(
        verified=True, user=ann, msisdn="+447700900456", operator="x"
    )
    same_address = VerificationFactory(
        verified=True, ip="192.0.2.7", msisdn="+447700900456", operator="x"
    )

    links = page_of(staff, row).context["others"]

    assert [words for words, _ in links] == [
        "of the same number",
        "of the same person",
        "from the same client address",
        "at the same operator",
    ]
    found = [set(rows_on(staff.get(address))) for _, address in links]
    assert found == [
        {row, same_number},
        {row, same_person},
        {row, same_address},
        {row},
    ]
    assert all("7700" not in address for _, address in links)


def test_a_row_without_number_person_and_address_links_to_no_others(staff):
    row = VerificationFactory(
        verified=True, number_fingerprint=b"", ip=None, operator=""
    )

    assert page_of(staff, row).context["others"] == []


def test_where_keys_were_turned_it_says_that_the_link_is_of_one_key(staff, settings):
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]
    row = VerificationFactory(verified=True)

    assert "of the same number, written under the same key" in page_of(staff, row).text


def test_its_facts_are_named_and_what_it_does_not_say_is_left_out(staff):
    row = VerificationFactory(
        unavailable=True,
        reason=Reason.OPERATOR_TIMEOUT,
        purpose=Purpose.STEP_UP,
        action="send_money",
        user=UserFactory(email="ann@example.com"),
        operator_chosen=True,
        operator_ms=12_000,
        ip="192.0.2.7",
        user_agent="Tests/1.0",
        operator_subject="a-pseudonym",
    )

    page = page_of(staff, row)

    facts = facts_of(page)
    assert facts.pop("Until the outcome").endswith(" s")
    assert facts == {
        "Reference": str(row.pk),
        "Person": "ann@example.com",
        "Number": "+44 •••• •••123",
        "Country": "GB",
        "Purpose": "Step-up",
        "Action": "send_money",
        "Asked because": "Always asked for this purpose",
        "Method": "Mobile network",
        "Operator": "the sandbox network (sandbox), chosen by the person",
        "Reason": "operator took too long (operator_timeout)",
        "At the operator": "12000 ms",
        "Client address": "192.0.2.7",
        "Browser": "Tests/1.0",
        "Known browser": "no",
        "Operator's name for the subscriber": "a-pseudonym",
    }
    assert ANN not in page.text


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"sends": 2, "tries": 3}, "2 text messages, 3 wrong codes"),
        ({"sends": 1, "tries": 1}, "1 text message, 1 wrong code"),
        ({"sends": 0, "tries": 5}, "0 text messages, 5 wrong codes"),
        ({}, None),
    ],
)
def test_it_says_how_many_codes_were_sent_and_were_wrong(staff, columns, said):
    row = VerificationFactory(unavailable=True, method=Method.SMS, **columns)

    assert facts_of(page_of(staff, row)).get("Codes") == said


def test_an_operator_that_is_configured_no_more_keeps_its_short_name(staff):
    row = VerificationFactory(verified=True, operator="gone-long-ago")

    page = page_of(staff, row)

    assert facts_of(page)["Operator"] == "gone-long-ago"
    assert "Gone-long-ago said" in page.text


@pytest.mark.parametrize("key", ["01890000-0000-7000-8000-000000000000", "nonsense"])
def test_a_key_that_no_row_has_leads_to_the_list_and_says_so(staff, key):
    page = staff.get(f"{HISTORY}{key}/change/", follow=True)

    assert page.redirect_chain[0][1] == 303
    assert page.status_code == 200
    assert "No verification has this id." in page.text


def test_what_a_browser_says_of_itself_is_no_markup(staff):
    row = VerificationFactory(verified=True, user_agent="<script>alert(1)</script>")

    assert "<script>alert" not in page_of(staff, row).text


def test_an_open_row_says_so_and_has_no_duration(staff):
    row = VerificationFactory(status=Status.PENDING)

    page = page_of(staff, row)

    assert "has not come back so far" in page.text
    assert "Until the outcome" not in page.text
