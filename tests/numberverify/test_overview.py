"""The history in numbers: what is counted, of what, and where each figure leads."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numberverify import deadline, rollup, seal
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import HourTotal, Seal
from tests.factories import UserFactory
from tests.numberverify.history import HISTORY
from tests.numberverify.seal.past import begun, by_the_back_door

pytestmark = pytest.mark.django_db
OVERVIEW = f"{HISTORY}overview/"
AGO = timedelta(days=2)
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def staff(client):
    """Staff who are no superuser, with the clocks of the session started."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_verification"))
    client.force_login(user)
    client.get(HISTORY)
    return client


def refused(**columns):
    return {"settled": True, "status": Status.REFUSED} | columns


@pytest.fixture
def counted():
    """Ten rows that began two days ago, and one test row; counted."""
    begun(AGO, operator="one", operator_ms=200)
    begun(AGO, operator="one", operator_ms=210, purpose=Purpose.LOGIN)
    begun(AGO, operator="one", operator_ms=900, purpose=Purpose.LOGIN)
    begun(AGO, mismatched=True, operator="one", operator_ms=200)
    begun(AGO, unavailable=True, operator="one", operator_ms=12_000)
    begun(AGO, unavailable=True, operator="two", country="FR")
    timeout = {"unavailable": True, "reason": Reason.OPERATOR_TIMEOUT}
    begun(AGO, **timeout, operator="two", country="FR", operator_ms=12_000)
    text = {"method": Method.SMS, "operator": "", "previous": uuid4()}
    begun(AGO, **text)
    begun(AGO, **refused(reason=Reason.WRONG_CODES), **text)
    begun(AGO, **refused(status=Status.EXPIRED), operator="one")
    begun(AGO, test=True, operator="sandbox")
    assert seal.seal_due(batch=11) == 11  # and not what follows


def shown(staff, **asked):
    page = staff.get(OVERVIEW, asked)
    assert page.status_code == 200
    return page


def rows_of(page, title):
    """The figures of a section, by the name of the row."""
    section = next(s for s in page.context["sections"] if str(s.title) == title)
    return {
        first.text: [str(cell.text) for cell in more] for first, *more in section.rows
    }


def day_of(ago=AGO):
    return f"{timezone.now() - ago:%-d %b %Y}"


# The figures


def test_what_ended_how_by_the_day(staff, counted):
    page = shown(staff, test="no")

    days = rows_of(page, "Outcomes over time")
    # Ended, match, no match, could not tell, refused, expired, the share.
    assert days[day_of()] == ["10", "4", "1", "3", "1", "1", "30.0 %"]
    assert days[day_of(timedelta(days=3))] == ["0"] * 6 + ["–"]
    assert len(days) == 30
    assert "10 verifications ended" in page.text


def test_why_nobody_could_tell_as_a_share_of_those_and_of_all(staff, counted):
    page = shown(staff, test="no")

    assert rows_of(page, "Could not tell, by reason") == {
        "not on the mobile network": ["2", "66.7 %", "20.0 %"],
        "operator took too long": ["1", "33.3 %", "10.0 %"],
    }
    assert "3 of the 10 that ended, 30.0 %" in page.text


def test_a_no_match_and_a_refusal_are_no_could_not_tell(staff):
    begun(AGO, mismatched=True)
    begun(AGO, **refused(reason=Reason.WRONG_CODES))
    seal.seal_due()

    page = shown(staff)

    assert rows_of(page, "Could not tell, by reason") == {}
    assert "0 of the 2 that ended, 0.0 %" in page.text
    assert rows_of(page, "Purposes") == {
        "Signup": ["2", "0", "1", "0", "1", "0", "0.0 %"]
    }


def test_which_fallbacks_were_used_and_how_they_ended(staff, counted):
    begun(AGO, previous=uuid4())
    seal.seal_due()

    page = shown(staff, test="no")

    assert rows_of(page, "Fallbacks used, and how they ended") == {
        "SMS code": ["2", "66.7 %", "1", "0", "0", "1", "0", "50.0 %"],
        "Mobile network": ["1", "33.3 %", "1", "0", "0", "0", "0", "100.0 %"],
    }


def test_how_long_each_operator_took(staff, counted):
    page = shown(staff, test="no")

    # 2 ** (31 / 4) and 2 ** (55 / 4): the bounds above 210 and 12,000.
    assert rows_of(page, "How long operators took") == {
        "one": ["5", "215 ms", "13.8 s"],
        "two": ["1", "13.8 s", "13.8 s"],
    }
    by_day = rows_of(page, "How long operators took, over time")
    assert list(by_day) == [day_of()]
    assert by_day[day_of()][0] == "6"


def test_by_operator_country_and_purpose(staff, counted):
    page = shown(staff, test="no")

    assert rows_of(page, "Operators") == {
        "one": ["6", "3", "1", "1", "0", "1", "16.7 %"],
        "two": ["2", "0", "0", "2", "0", "0", "100.0 %"],
        "no operator": ["2", "1", "0", "0", "1", "0", "0.0 %"],
    }
    assert rows_of(page, "Countries") == {
        "GB": ["8", "4", "1", "1", "1", "1", "12.5 %"],
        "FR": ["2", "0", "0", "2", "0", "0", "100.0 %"],
    }
    assert rows_of(page, "Purposes") == {
        "Signup": ["8", "2", "1", "3", "1", "1", "37.5 %"],
        "Login": ["2", "2", "0", "0", "0", "0", "0.0 %"],
    }


@pytest.mark.parametrize(
    ("asked", "ended"),
    [
        ({}, 11),
        ({"test": "no"}, 10),
        ({"test": "yes"}, 1),
        ({"operator": "two"}, 2),
        ({"country": "fr"}, 2),
        ({"purpose": "login"}, 2),
        ({"purpose": "login", "country": "FR"}, 0),
        ({"period": "day"}, 0),
        ({"period": "week"}, 11),
        ({"period": "week", "by": "hour"}, 11),
        ({"period": "year"}, 11),
        ({"period": "year", "by": "month"}, 11),
        ({"since": f"{timezone.now() - AGO:%Y-%m-%d}"}, 11),
        ({"until": f"{timezone.now() - AGO:%Y-%m-%d}"}, 11),
        ({"until": f"{timezone.now() - AGO - timedelta(days=1):%Y-%m-%d}"}, 0),
    ],
)
def test_each_filter_counts_its_own(staff, counted, asked, ended):
    page = shown(staff, **asked)

    said = rows_of(page, "Purposes") if ended else {}
    assert sum(int(row[0]) for row in said.values()) == ended
    assert bool(page.context["sections"]) == bool(ended)
    assert dict(page.context["form"].errors) == {}


def test_the_last_hours_are_shown_by_the_hour(staff):
    begun(timedelta(hours=3))
    seal.seal_due()
    at = timezone.now() - timedelta(hours=3)

    hours = rows_of(shown(staff, period="day"), "Outcomes over time")

    assert len(hours) == 24
    assert hours[f"{at:%-d %b %Y, %H}:00"][:2] == ["1", "1"]


def test_what_is_not_counted_yet_is_not_said_to_be_nothing(staff):
    begun(timedelta(hours=3))
    seal.seal_due()

    page = shown(staff, period="day")

    *_, last = rows_of(page, "Outcomes over time").values()
    assert last == ["not counted yet", *["–"] * 6]
    assert 'class="uncounted"' in page.text


# The words and the pictures


def test_pictures_are_named_and_their_figures_stand_in_tables(staff, counted):
    text = shown(staff).text
    pictures = text.split('<svg xmlns="http://www.w3.org/2000/svg" role="img"')[1:]

    assert len(pictures) == 8
    assert text.count("<table") == text.count("<caption>") == 8
    for picture in pictures:
        whole = ElementTree.fromstring("<svg" + picture.split("</svg>")[0] + "</svg>")
        assert whole.find("title").text
        assert whole.find("desc").text
    assert "style=" not in text.split("<main")[1]


def test_an_unknown_reason_of_an_older_version_is_named_as_it_is(staff, counted):
    for model in (HourTotal, rollup.DayTotal):
        model.objects.filter(reason=Reason.OPERATOR_TIMEOUT).update(reason="<gone>")

    page = shown(staff)

    assert "<gone>" in rows_of(page, "Could not tell, by reason")
    assert "&lt;gone&gt;" in page.text
    assert "<gone>" not in page.text


def test_many_groups_are_all_in_the_table_and_the_first_in_the_picture(staff):
    for n in range(14):
        begun(AGO, operator=f"operator-{n:02}")
    seal.seal_due()

    page = shown(staff)

    assert len(rows_of(page, "Operators")) == 14
    assert "All of them are in the table below." in page.text
    assert page.text.count('class="label">operator-') == 12


# Up to when


def test_it_says_up_to_when_it_counts(staff, counted):
    at = datetime.fromtimestamp((seal.head().last_id.int >> 80) / 1000, UTC)

    page = shown(staff)

    assert f"{at:%-d %b %Y, %H:%M} UTC" in page.text
    assert "housekeeping" not in page.text


def test_nothing_counted_so_far_says_what_counts(staff):
    page = shown(staff)

    assert "Nothing has been counted yet." in page.text
    assert "manage.py housekeeping" in page.text
    assert page.context["sections"] == []


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=3), "The last count was 3\xa0hours ago"),
        (timedelta(days=3), "Nothing has been counted for 3\xa0days."),
    ],
)
def test_housekeeping_that_does_not_run_is_named(staff, counted, ago, words):
    with by_the_back_door():
        Seal.objects.update(made_at=timezone.now() - ago)

    text = shown(staff).text

    assert words in text
    assert "manage.py housekeeping" in text
    assert ("overview-warning" in text) == (ago > timedelta(days=1))


# Where figures lead


def links_of(page, title):
    section = next(s for s in page.context["sections"] if str(s.title) == title)
    return {
        (row[0].text, str(head)): dict(parse_qsl(urlsplit(cell.address).query))
        for row in section.rows
        for head, cell in zip(section.heads, row, strict=True)
        if cell.address
    }


def test_figures_lead_to_the_list_with_the_same_filters(staff, counted):
    page = shown(staff, test="no", period="week")
    day = f"{timezone.now() - AGO:%Y-%m-%d}"
    today = f"{timezone.now():%Y-%m-%d}"
    first = f"{timezone.now() - timedelta(days=6):%Y-%m-%d}"
    week = {"since": first, "until": today, "test": "no"}

    links = links_of(page, "Outcomes over time")
    one_day = {"since": day, "until": day, "test": "no"}
    assert links[day_of(), "Time (UTC)"] == one_day
    assert links[day_of(), "No match"] == one_day | {"outcome": "mismatched"}
    reasons = links_of(page, "Could not tell, by reason")
    assert reasons["operator took too long", "Verifications"] == week | {
        "outcome": "unavailable",
        "reason": "operator_timeout",
    }
    operators = links_of(page, "Operators")
    assert operators["two", "Could not tell"] == week | {
        "operator": "two",
        "outcome": "unavailable",
    }
    # The list cannot find rows by an operator that they do not name.
    assert not [key for key in operators if key[0] == "no operator"]


def test_each_link_finds_as_many_rows_as_the_figure_says(staff, counted):
    page = shown(staff, period="week")
    checked = 0
    for section in page.context["sections"]:
        for row in section.rows:
            for cell in row[1:]:
                if cell.address:
                    found = staff.get(cell.address)
                    assert dict(found.context["form"].errors) == {}
                    assert len(found.context["lines"]) == int(cell.text), cell
                    checked += 1

    assert checked > 15


def test_an_hour_leads_to_the_list_from_that_hour_back(staff):
    row = begun(timedelta(hours=3))
    seal.seal_due(batch=1)
    begun(timedelta(hours=1, minutes=59))

    links = links_of(shown(staff, period="day"), "Outcomes over time")
    at = f"{row.created_at:%-d %b %Y, %H}:00"

    assert links[at, "Time (UTC)"] == {"at": f"{row.created_at:%Y-%m-%dT%H}:59"}
    assert {head for _name, head in links} == {"Time (UTC)"}


def test_list_and_overview_lead_to_each_other_with_their_filters(staff):
    asked = {"operator": "sandbox", "since": "2026-05-01", "outcome": "mismatched"}
    there = staff.get(HISTORY, asked).context["overview"]

    assert there == f"{OVERVIEW}?operator=sandbox&since=2026-05-01"
    back = staff.get(there).context["list"]
    assert "operator=sandbox&since=2026-05-01" in back
    assert staff.get(HISTORY).context["overview"] == OVERVIEW


# What is asked wrongly


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("period=fortnight", "period"),
        ("by=minute", "by"),
        ("since=2026-05-02&until=2026-05-01", "until"),
        ("since=yesterday", "since"),
        ("until=2026-02-30", "until"),
        ("since=1969-12-31", "since"),
        ("since=9999-01-01", "since"),
        ("until=1970-01-01", None),
        ("since=1970-01-01", "since"),
        ("period=year&by=hour", "by"),
        ("since=2020-01-01&by=day", "by"),
        ("operator=No%20Such!", "operator"),
        ("country=Narnia", "country"),
        ("country=ZZ", "country"),
        ("purpose=fun", "purpose"),
        ("test=maybe", "test"),
        ("test=yes&test=no", "test"),
        ("outcome=verified", "__all__"),
        ("period=%00", "period"),
    ],
)
def test_what_is_not_understood_is_said_by_its_field(staff, counted, asked, field):
    page = staff.get(f"{OVERVIEW}?{asked}")

    assert page.status_code == 200
    assert set(page.context["form"].errors) == ({field} if field else set())
    assert ("errornote" in page.text) == bool(field)
    if field and field != "__all__":
        assert f'id="id_{field}_error"' in page.text


def test_an_operator_of_old_is_no_mistake(staff, counted):
    page = shown(staff, operator="gone-long-ago")

    assert dict(page.context["form"].errors) == {}
    assert "No verification that is counted began in this time" in page.text


def test_the_form_shows_what_is_shown(staff):
    assert shown(staff).context["form"]["period"].value() == "month"
    asked = shown(staff, since="2026-05-01", period="year")
    assert asked.context["form"]["period"].value() == ""


# Who may, and what it costs


def test_it_is_for_those_who_may_see_the_history(client):
    client.force_login(UserFactory(is_staff=True))

    assert client.get(OVERVIEW).status_code == 403


def test_strangers_are_sent_to_the_login(client):
    assert client.get(OVERVIEW).status_code == 302


def test_it_is_only_looked_at(staff):
    assert staff.post(OVERVIEW).status_code == 405


TRANSACTION = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


@pytest.mark.parametrize("period", ["day", "week", "month", "year"])
def test_no_statement_touches_the_rows_and_few_are_made(staff, counted, period):
    with CaptureQueriesContext(connection) as captured:
        page = shown(staff, period=period, country="GB")
    said = [q["sql"] for q in captured if not q["sql"].startswith(TRANSACTION)]

    assert page.context["form"].filters.country == "GB"
    assert not [sql for sql in said if "numberverify_verification" in sql]
    sums = [sql for sql in said if "SUM(" in sql]
    assert len(sums) == 5
    assert all("GROUP BY" in sql for sql in sums)
    # Session, user, two of permissions, the seal, the limit of time.
    assert len(said) - len(sums) <= 6


@pytest.mark.postgresql
def test_postgresql_reads_the_days_that_are_asked_for_by_their_index(staff):
    days = [NOON.date() - timedelta(days=n) for n in range(700)]
    same = {"operator": "one", "country": "GB", "purpose": "login", "test": False}
    how = {"method": "network", "status": "verified", "reason": "", "fallback": False}
    rollup.DayTotal.objects.bulk_create(
        rollup.DayTotal(day=day, **same | how | {"operator": f"o{n}"}, rows=1)
        for day in days
        for n in range(20)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE numberverify_daytotal")

    plan = rollup.DayTotal.objects.filter(day__gte=days[6]).explain()

    assert "nv_one_total_a_day" in plan
    assert "Seq Scan" not in plan


def test_what_takes_too_long_is_stopped_and_says_what_to_do(
    staff, counted, monkeypatch
):
    if connection.vendor == "postgresql":
        pytest.skip("there a lock makes it slow: see the list")
    monkeypatch.setattr(deadline, "SECONDS", 0.0)
    monkeypatch.setattr(deadline, "STEPS", 1)

    page = shown(staff)

    assert "Choose fewer days." in page.text
    assert page.context["sections"] == []
    assert 'id="id_since_error"' in page.text
