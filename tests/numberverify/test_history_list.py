"""The list of the history: what it says, what it is filtered by, its pages."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.history import page
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.history import HISTORY, links_of, row_of, rows_on

pytestmark = pytest.mark.django_db
MAY = datetime(2026, 5, 12, 14, 30, tzinfo=UTC)


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


@pytest.fixture
def few(monkeypatch):
    """Three rows a page."""
    monkeypatch.setattr(page, "SIZE", 3)


def test_the_list_says_who_what_how_and_how_it_ended(staff):
    VerificationFactory(
        unavailable=True,
        reason=Reason.OPERATOR_TIMEOUT,
        purpose=Purpose.STEP_UP,
        action="send_money",
        user=UserFactory(email="ann@example.com"),
        created_at=timezone.now() - timedelta(seconds=12.5),
        attention=True,
        test=True,
    )

    text = staff.get(HISTORY).text

    for words in (
        "ann@example.com",
        "+44 •••• •••123",
        ">GB<",
        "Step-up",
        "send_money",
        "Mobile network",
        "sandbox",
        "Could not tell",
        "operator took too long",
        "12.5 s",
        "attention",
        '<span class="test-mark">test',
    ):
        assert words in text
    assert ANN not in text


def test_neither_an_attack_nor_a_test_is_said_of_a_row_that_is_none(staff):
    VerificationFactory(verified=True)

    text = staff.get(HISTORY).text

    assert 'class="flag"' not in text
    assert "test-mark" not in text


@pytest.mark.parametrize("status", Status)
def test_each_outcome_is_told_by_words_and_an_icon_that_is_not_read_out(staff, status):
    settled = {"settled": status not in ("pending", "exchanging")}
    VerificationFactory(status=status, **settled)

    text = staff.get(HISTORY).text.split("<tbody")[1]

    assert str(status.label) in text
    assert '<span aria-hidden="true">' in text


def test_open_rows_are_among_the_settled_ones_in_order(staff):
    now = timezone.now()
    made = [
        row_of(now - timedelta(seconds=5), verified=True),
        row_of(now - timedelta(seconds=4), status=Status.PENDING),
        row_of(now - timedelta(seconds=3), mismatched=True),
        row_of(now - timedelta(seconds=2), exchanging=True),
    ]

    assert rows_on(staff.get(HISTORY)) == made[::-1]
    # By an index of settled rows and by that of open ones.
    assert rows_on(staff.get(HISTORY, {"operator": "sandbox"})) == made[::-1]


# Filters


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ({"outcome": "mismatched"}, {"status": Status.MISMATCHED}),
        ({"outcome": "pending"}, {"status": Status.PENDING}),
        ({"outcome": "exchanging"}, {"exchanging": True}),
        ({"reason": "operator_timeout"}, {"reason": Reason.OPERATOR_TIMEOUT}),
        ({"purpose": "login"}, {"purpose": Purpose.LOGIN}),
        ({"method": "sms"}, {"method": Method.SMS}),
        ({"operator": "sandbox"}, {"operator": "sandbox"}),
        ({"operator": "gone-long-ago"}, {"operator": "gone-long-ago"}),
        ({"country": "FR"}, {"country": "FR"}),
        ({"country": "fr"}, {"country": "FR"}),
        ({"flag": "yes"}, {"attention": True}),
        ({"test": "yes"}, {"test": True}),
        ({"address": "192.0.2.7"}, {"ip": "192.0.2.7"}),
        ({"address": "2001:DB8::7"}, {"ip": "2001:db8::7"}),
    ],
)
def test_each_filter_finds_its_rows_alone(staff, query, state):
    settled = {} if "exchanging" in state else {"settled": True}
    defaults = {"status": Status.UNAVAILABLE, "operator": "other"}
    is_open = state.get("status") == Status.PENDING or "exchanging" in state
    wanted = VerificationFactory(
        **({"operator": "other"} if is_open else settled | defaults) | state
    )
    VerificationFactory(verified=True, operator="another", ip="192.0.2.8")

    assert rows_on(staff.get(HISTORY, query)) == [wanted]


def test_rows_of_a_test_are_left_out_on_demand(staff):
    real = VerificationFactory(verified=True)
    VerificationFactory(verified=True, test=True)

    assert rows_on(staff.get(HISTORY, {"test": "no"})) == [real]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"since": "2026-05-12"}, ["12", "13"]),
        ({"since": "2026-05-13"}, ["13"]),
        ({"until": "2026-05-12"}, ["11", "12"]),
        ({"since": "2026-05-12", "until": "2026-05-12"}, ["12"]),
        ({"since": "2026-05-14"}, []),
        ({"until": "9999-12-31"}, ["11", "12", "13"]),
    ],
)
def test_the_dates_hold_both_their_days_to_the_last_second(staff, query, found):
    day = timedelta(days=1)
    last = datetime(2026, 5, 12, 23, 59, 59, 999_000, tzinfo=UTC)
    made = {
        row_of(last - day): "11",
        row_of(last): "12",
        row_of(last + timedelta(milliseconds=1)): "13",
    }

    shown = rows_on(staff.get(HISTORY, query))

    assert sorted(made[row] for row in shown) == found


@pytest.mark.parametrize("at", ["9999-12-31T23:59-14:00", "0001-01-01T00:00+14:00"])
def test_a_time_that_no_clock_here_can_say_is_named(staff, at):
    shown = staff.get(HISTORY, {"at": at})

    assert shown.status_code == 200
    assert shown.context["form"].errors["at"]


def test_filters_combine_and_the_chips_take_them_off_one_by_one(staff):
    wanted = row_of(MAY, mismatched=True, purpose=Purpose.LOGIN)
    row_of(MAY, verified=True, purpose=Purpose.LOGIN)
    row_of(MAY, mismatched=True, purpose=Purpose.SIGNUP)
    query = {"outcome": "mismatched", "purpose": "login", "since": "2026-05-01"}

    shown = staff.get(HISTORY, query)

    assert rows_on(shown) == [wanted]
    chips = {str(chip.label): chip for chip in shown.context["chips"]}
    said = {label: chip.value for label, chip in chips.items()}
    assert said == {"Outcome": "No match", "Purpose": "Login", "From": "1 May 2026"}
    fewer = staff.get(HISTORY + chips["Purpose"].without)
    assert len(rows_on(fewer)) == 2
    assert "purpose" not in fewer.context["form"].filters.as_query()
    assert "Remove the filter Outcome: No match" in shown.text


def test_a_person_is_named_on_the_chip_and_a_number_masked(staff):
    ann = UserFactory(email="ann@example.com")
    row = VerificationFactory(verified=True, user=ann)
    prints = bytes(row.number_fingerprint).hex()

    shown = staff.get(HISTORY, {"person": ann.pk, "fingerprint": prints})

    values = [chip.value for chip in shown.context["chips"]]
    assert values == ["ann@example.com", "+44 •••• •••123"]


def test_what_was_searched_for_stays_when_filters_change(staff):
    ann = UserFactory()

    form = staff.get(HISTORY, {"person": ann.pk}).text.split('<form method="get"')[1]

    assert f'<input type="hidden" name="person" value="{ann.pk}">' in form


def test_the_form_holds_what_is_filtered_by(staff):
    query = {"outcome": "refused", "since": "2026-05-01", "at": "2026-05-12T14:30"}

    text = staff.get(HISTORY, query).text

    assert '<option value="refused" selected>' in text
    assert 'value="2026-05-01"' in text
    assert 'value="2026-05-12T14:30"' in text


# Pages


def walk(staff, query, link):
    """All pages from an address on, by this link."""
    pages = [staff.get(HISTORY, query)]
    while link in links_of(pages[-1]):
        pages.append(staff.get(HISTORY + links_of(pages[-1])[link]))
        assert len(pages) < 10
    return pages


@pytest.mark.parametrize("query", [{}, {"operator": "sandbox"}])
def test_older_pages_show_every_row_once(staff, few, query):
    made = [row_of(MAY + timedelta(seconds=n), verified=True) for n in range(6)]
    made.append(row_of(MAY + timedelta(seconds=6), status=Status.PENDING))

    pages = walk(staff, query, "older")

    assert [rows_on(each) for each in pages] == [
        made[6:3:-1],
        made[3:0:-1],
        made[0:1],
    ]


@pytest.mark.parametrize("query", [{}, {"operator": "sandbox"}])
def test_newer_pages_lead_back_over_the_same_rows(staff, few, query):
    for n in range(7):
        row_of(MAY + timedelta(seconds=n), verified=True)
    down = walk(staff, query, "older")

    up = [down[-1]]
    while "newer" in links_of(up[-1]):
        up.append(staff.get(HISTORY + links_of(up[-1])["newer"]))

    assert [rows_on(each) for each in up] == [rows_on(each) for each in down[::-1]]


def test_a_full_last_page_has_no_older_one(staff, few):
    for n in range(3):
        row_of(MAY + timedelta(seconds=n), verified=True)

    assert links_of(staff.get(HISTORY)) == {}


def test_a_jump_shows_what_was_then_and_a_way_to_what_came_after(staff, few):
    at_that_minute = row_of(MAY + timedelta(seconds=59))
    later = row_of(MAY + timedelta(seconds=60))
    earlier = row_of(MAY - timedelta(days=3))

    shown = staff.get(HISTORY, {"at": "2026-05-12T14:30"})

    assert rows_on(shown) == [at_that_minute, earlier]
    assert rows_on(staff.get(HISTORY + links_of(shown)["newer"])) == [later]
    assert rows_on(staff.get(HISTORY + links_of(shown)["newest"]))[0] == later


def test_a_jump_to_before_the_first_row_leads_to_what_came_after(staff):
    row = row_of(MAY)

    shown = staff.get(HISTORY, {"at": "2020-01-01T00:00"})

    assert rows_on(shown) == []
    assert rows_on(staff.get(HISTORY + links_of(shown)["newer"])) == [row]


def test_the_filters_stay_from_page_to_page(staff, few):
    for n in range(4):
        row_of(MAY + timedelta(seconds=n), mismatched=True)
        row_of(MAY + timedelta(seconds=n), verified=True)

    second = walk(staff, {"outcome": "mismatched"}, "older")[1]

    assert [row.status for row in rows_on(second)] == [Status.MISMATCHED]


# Counting


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "Verifications: 4"),
        ({"outcome": "mismatched"}, "Verifications: 1"),
        ({"outcome": "pending"}, "Verifications: 1"),
        ({"operator": "sandbox"}, "Verifications: 4"),
        ({"outcome": "refused"}, "Verifications: 0"),
    ],
)
def test_the_first_page_says_how_many_there_are(staff, query, said):
    for state in ({"verified": True}, {"verified": True}, {"mismatched": True}, {}):
        VerificationFactory(**state)

    assert said in staff.get(HISTORY, query).text


def test_it_does_not_count_beyond_its_end(staff, monkeypatch):
    monkeypatch.setattr(page, "COUNTED", 2)
    for _ in range(2):
        VerificationFactory(verified=True)
    assert "Verifications: 2" in staff.get(HISTORY).text

    VerificationFactory(verified=True)

    assert "Verifications: more than 2" in staff.get(HISTORY).text


def test_a_first_page_of_open_rows_alone_says_how_many_there_are(staff, monkeypatch):
    monkeypatch.setattr(page, "SIZE", 2)
    VerificationFactory(verified=True)
    for _ in range(3):
        VerificationFactory()

    shown = staff.get(HISTORY, {"operator": "sandbox"})

    assert len(rows_on(shown)) == 2
    assert "Verifications: 4" in shown.text


def test_a_fingerprint_named_twice_shows_each_row_once(staff):
    row = VerificationFactory(verified=True)
    mark = bytes(row.number_fingerprint).hex()

    shown = staff.get(HISTORY, {"fingerprint": f"{mark}-{mark}"})

    assert len(rows_on(shown)) == 1
    assert "Verifications: 1" in shown.text


@pytest.mark.parametrize(
    "query",
    [
        {"outcome": "verified", "purpose": "signup"},
        {"test": "no"},
        {"at": "2099-01-01T00:00"},
    ],
)
def test_it_counts_only_what_an_index_holds_and_on_the_first_page(staff, query):
    VerificationFactory(verified=True)

    shown = staff.get(HISTORY, query)

    assert len(rows_on(shown)) == 1
    assert "Verifications: " not in shown.text
