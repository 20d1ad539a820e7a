"""What the history is exported as: which rows, which columns, made harmless."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench import rows as bench
from numberverify.choices import Method, Reason, Status
from numberverify.history import export
from numberverify.history.filters import Filters
from numberverify.models import Verification
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.history import row_of

pytestmark = pytest.mark.django_db
JUNE = datetime(2026, 6, 12, 14, 30, 5, 678901, tzinfo=UTC)
MAY_BEGIN = [*"=+-@\t\r\n\x01\x1f\x7f", "＝", "＋", "－", "＠"]


@pytest.fixture
def few(monkeypatch):
    """Three rows a batch."""
    monkeypatch.setattr(export, "AT_ONCE", 3)


def file_of(form="csv", **filters):
    return b"".join(lines for lines, _ in export.batches(Filters(**filters), form))


def table_of(**filters):
    return list(csv.DictReader(io.StringIO(file_of(**filters).decode(), newline="")))


def objects_of(**filters):
    return [json.loads(line) for line in file_of("jsonl", **filters).splitlines()]


def one_of_all():
    return row_of(
        JUNE,
        settled=True,
        status=Status.REFUSED,
        reason=Reason.WRONG_CODES,
        purpose="step_up",
        action="send_money",
        method=Method.SMS,
        operator="fake",
        operator_ms=412,
        user=UserFactory(email="ann@example.com"),
        ip="2001:db8::7",
        user_agent='Mozilla, "5.0"',
        attention=True,
        settled_at=JUNE + timedelta(seconds=2),
        tries=5,
        sends=1,
    )


def test_a_row_says_what_the_list_says_and_holds_no_plain_number():
    row = one_of_all()

    (line,) = table_of()

    assert line == {
        "id": str(row.pk),
        "started": "2026-06-12T14:30:05.678Z",
        "settled": "2026-06-12T14:30:07.678Z",
        "redeemed": "",
        "outcome": "refused",
        "reason": "wrong_codes",
        "asked_because": "required",
        "purpose": "step_up",
        "action": "send_money",
        "method": "sms",
        "operator": "fake",
        "operator_ms": "412",
        "sim_swap": "",
        "country": "GB",
        "number": "'+44 •••• •••123",
        "number_fingerprint": bytes(row.number_fingerprint).hex(),
        "person": str(row.user_id),
        "person_name": "ann@example.com",
        "address": "2001:db8::7",
        "browser": 'Mozilla, "5.0"',
        "follows": "",
        "attention": "true",
        "test": "false",
        "wrong_codes": "5",
        "text_messages": "1",
    }
    for form in export.FORMATS:
        assert ANN[1:].encode() not in file_of(form)


def test_json_lines_keep_kinds_and_need_no_apostrophe():
    row = one_of_all()

    (found,) = objects_of()

    assert list(found) == export.COLUMNS
    assert found["number"] == "+44 •••• •••123"
    assert (found["operator_ms"], found["attention"], found["test"]) == (
        412,
        True,
        False,
    )
    assert (found["redeemed"], found["follows"]) == (None, None)
    assert found["started"] == "2026-06-12T14:30:05.678Z"
    assert (found["id"], found["person"]) == (str(row.pk), row.user_id)


@pytest.mark.parametrize("begins", MAY_BEGIN)
def test_v5_0_0_1_2_10_a_cell_that_begins_like_a_formula_is_made_harmless(begins):
    wicked = f'{begins}HYPERLINK("http://evil.example";"a,b")'
    user = UserFactory(email="ann@example.com")
    type(user).objects.update(email=f"{begins}ann@example.com".lower())
    row_of(user_agent=wicked, action=begins, operator="-x", verified=True, user=user)

    (line,) = table_of()

    assert line["browser"] == f"'{wicked}"
    assert line["action"] == f"'{begins}"
    assert line["operator"] == "'-x"
    assert line["number"].startswith("'+44")
    assert line["person_name"] == f"'{begins}ann@example.com"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        (";-1;+1", ";'-1;'+1"),
        ("x;＝1", "x;'＝1"),
        ("=1;=2", "'=1;'=2"),
        ("Linux; Android 16; K", "Linux; Android 16; K"),
    ],
)
def test_v5_0_0_1_2_10_no_part_of_a_cell_is_a_formula_where_semicolons_end_cells(
    typed, sent
):
    row_of(user_agent=typed, verified=True)

    (line,) = table_of()

    assert line["browser"] == sent
    assert export.harmless(typed) == sent


def test_v5_0_0_1_2_10_a_nul_is_made_harmless_where_a_database_keeps_one():
    assert export.harmless("\0=1") == "'\0=1"


@pytest.mark.parametrize("cell", ["", "Mozilla", "a=1", "'quoted", "é", "\xa0", "0"])
def test_other_cells_stay_as_they_are(cell):
    row_of(user_agent=cell, verified=True)

    assert table_of()[0]["browser"] == cell


def test_v5_0_0_1_2_10_every_cell_is_one_cell_whatever_is_in_it():
    said = 'a "quoted", cell;\nwith\r\nlines \\. and \u2028'
    row_of(user_agent=said, verified=True)

    assert table_of()[0]["browser"] == said
    assert objects_of()[0]["browser"] == said


@pytest.mark.postgresql
def test_postgresql_writes_the_same_bytes_as_we_do(monkeypatch):
    one_of_all()
    for begins in [*MAY_BEGIN, '"', "\\.", ",", "\u2028"]:
        row_of(user_agent=f"{begins}1\n2", action=f'{begins}"', verified=True)
    row_of(msisdn="", number_mask="", number_fingerprint=b"", ip=None, country="")
    with connection.cursor() as cursor:  # before bench alters the table
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    bench.fill(300)
    by_database = file_of(), file_of(outcome="verified")

    monkeypatch.setattr(export, "_reader", lambda form: export._Csv().read)

    assert (file_of(), file_of(outcome="verified")) == by_database


def test_what_is_filtered_is_exported_and_no_more():
    wanted = row_of(JUNE, mismatched=True)
    row_of(JUNE, verified=True)
    row_of(JUNE + timedelta(days=30), mismatched=True)
    row_of(JUNE - timedelta(days=30), mismatched=True)
    june = {"since": datetime(2026, 6, 1).date(), "until": datetime(2026, 6, 30).date()}

    for found in (table_of, objects_of):
        rows = found(outcome="mismatched", **june)
        assert [row["id"] for row in rows] == [str(wanted.pk)]


@pytest.mark.parametrize("filters", [{}, {"country": "GB"}, {"outcome": "verified"}])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
def test_rows_of_all_batches_come_once_newest_first(few, count, filters):
    """Open ones among those that are settled, where the filter lets both through."""
    made = []
    for n in range(count):
        is_open = n % 2 and not filters.get("outcome")
        state = {"status": Status.PENDING} if is_open else {"verified": True}
        made.append(str(row_of(JUNE + timedelta(seconds=n), **state).pk))

    assert [row["id"] for row in table_of(**filters)] == made[::-1]
    assert [row["id"] for row in objects_of(**filters)] == made[::-1]


def test_a_batch_knows_how_many_rows_it_holds(few):
    for n in range(4):
        row_of(JUNE + timedelta(seconds=n), user_agent="two\nlines", verified=True)

    assert [count for _, count in export.batches(Filters(), "csv")] == [0, 3, 1]


def test_what_begins_meanwhile_is_not_in_it(few):
    for n in range(4):
        row_of(JUNE + timedelta(seconds=n), verified=True)
    found = export.batches(Filters(), "csv")
    next(found), next(found)

    row_of(verified=True)

    assert sum(count for _, count in found) == 1


def test_the_first_bytes_wait_for_no_row():
    VerificationFactory(verified=True)
    with CaptureQueriesContext(connection) as captured:
        first = next(export.batches(Filters(), "csv"))

    assert first == (",".join(export.COLUMNS).encode() + b"\n", 0)
    assert len(captured) == 0


def test_each_batch_is_one_statement_by_key(few):
    for n in range(7):
        row_of(JUNE + timedelta(seconds=n), verified=True)
    found = export.batches(Filters(outcome="verified"), "jsonl")
    with CaptureQueriesContext(connection) as captured:
        list(found)

    said = [each["sql"] for each in captured if "FROM" in each["sql"]]
    assert len(said) == 3
    for sql in said:
        assert "OFFSET" not in sql
        assert "LIMIT 3" in sql
        assert '"id" <' in sql.replace('."id" <', '"id" <')


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_between_two_batches_no_pooled_connection_is_held(few):
    for n in range(4):
        row_of(JUNE + timedelta(seconds=n), verified=True)
    found = export.batches(Filters(), "csv")
    next(found), next(found)

    assert connection.connection is None
    assert sum(count for _, count in found) == 1


def test_the_key_of_a_batch_is_read_back_from_its_last_line(few):
    keys = [row_of(JUNE + timedelta(seconds=n), verified=True).pk for n in range(4)]

    _, behind = export._reader("csv")(Filters(), UUID(int=2**128 - 1))

    assert behind == keys[1]
    assert Verification.objects.filter(pk__lt=behind).count() == 1


# What is cut says so


def slow(is_postgresql):
    """A statement that takes longer than anybody waits."""
    endless = (
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT count(*) FROM n) > 0"
    )
    where = "pg_sleep(9) IS NOT NULL" if is_postgresql else endless
    rows = Verification.objects.extra(where=[where])
    return lambda filters, behind, columns: rows.values_list(*columns)


def cut_file(form, seconds=0.0):
    """The file, and what the export says of its end."""
    found = export.batches(Filters(), form, seconds=seconds)
    lines = []
    while True:
        try:
            lines.append(next(found)[0])
        except StopIteration as over:
            return b"".join(lines).decode(), over.value


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a second each time that it is read."""
    seconds = iter(range(1000))
    monkeypatch.setattr(export.time, "monotonic", lambda: float(next(seconds)))


@pytest.mark.parametrize("form", export.FORMATS)
def test_past_the_time_limit_the_last_line_says_so(few, clock, form):
    for n in range(7):
        row_of(JUNE + timedelta(seconds=n), verified=True)

    text, ending = cut_file(form, seconds=1.5)

    assert ending == "time"
    last = text.splitlines()[-1]
    says = "CUT: not all rows are here. Rows written: 3, down to 2026-06-12; then"
    assert says in last
    assert "go on with To 2026-06-12" in last
    if form == "csv":
        assert [len(row) for row in csv.reader(io.StringIO(text))] == [25] * 5
    else:
        cut = json.loads(last)["cut"]
        assert (cut["because"], cut["rows"], cut["until"]) == ("time", 3, "2026-06-12")
        assert len(text.splitlines()) == 4


@pytest.mark.parametrize("form", export.FORMATS)
def test_what_the_database_stops_is_cut(monkeypatch, form, is_postgresql):
    for _ in range(20):
        row_of(JUNE, verified=True)
    monkeypatch.setattr(export, "BATCH_SECONDS", 0.2)
    monkeypatch.setattr(export, "_statement", slow(is_postgresql))

    text, ending = cut_file(form, seconds=60)

    assert ending == "database"
    assert "Rows written: 0; then the database took too long" in text


def test_a_whole_file_has_no_such_line(few):
    row_of(JUNE, verified=True)

    for form in export.FORMATS:
        text, ending = cut_file(form, seconds=60)
        assert ending is None
        assert "CUT" not in text
        assert "cut" not in text
