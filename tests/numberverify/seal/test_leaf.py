"""The encoding: two different rows never look alike."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.conf import settings
from hypothesis import assume, given
from hypothesis import strategies as st

from numberverify.models import Verification
from numberverify.seal import leaf

FREE = {"user", "redeemed_at", "commitment"}
BLANK_ONCE_SETTLED = {"number", "nonce", "code_verifier", "code_digest"}

texts = st.text(max_size=20)  # no lone surrogates: no database takes them
blobs = st.binary(max_size=32)
numbers = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
values = st.one_of(texts, blobs, numbers, st.booleans(), st.none(), st.uuids())
KINDS = {
    "CharField": texts,
    "GenericIPAddressField": st.none() | st.ip_addresses().map(str),
    "BinaryField": blobs,
    "BooleanField": st.booleans(),
    "UUIDField": st.uuids(),
    "DateTimeField": st.none() | st.integers(min_value=0, max_value=2**52),
    "PositiveSmallIntegerField": st.integers(min_value=0, max_value=32767),
    "PositiveIntegerField": st.none() | st.integers(min_value=0, max_value=2**31 - 1),
}


def column(name: str):
    made = KINDS[Verification._meta.get_field(name).get_internal_type()]
    may_be_null = Verification._meta.get_field(name).null
    return st.none() | made if may_be_null else made


# As read: not forgotten.
rows = st.tuples(*(column(name) for name in leaf.COLUMNS[:-1])).map(
    lambda row: (*row, b"")
)


def test_every_column_of_a_verification_has_its_place():
    columns = {field.name for field in Verification._meta.fields}
    places = [set(leaf.FIXED), set(leaf.PERSONAL), FREE, BLANK_ONCE_SETTLED]

    assert set.union(*places) == columns
    assert sum(map(len, places)) == len(columns)
    assert {
        name
        for name in leaf.FIXED
        if Verification._meta.get_field(name).get_internal_type() == "DateTimeField"
    } == leaf.TIMES


@given(rows, rows)
def test_two_different_rows_never_encode_alike(one, other):
    personal = slice(len(leaf.FIXED), -1)
    same_person = leaf.PERSON.canonical(one[personal]) == leaf.PERSON.canonical(
        other[personal]
    )
    assert same_person == (one[personal] == other[personal])
    assert (leaf.leaf_of(one) == leaf.leaf_of(other)) == (one == other)


@given(rows, st.data())
def test_a_change_of_any_one_column_is_another_leaf(row, data):
    at = data.draw(st.integers(min_value=0, max_value=len(row) - 2))
    changed = data.draw(column(leaf.COLUMNS[at]).filter(lambda new: new != row[at]))

    assert leaf.leaf_of((*row[:at], changed, *row[at + 1 :])) != leaf.leaf_of(row)


@given(rows)
def test_the_encoding_is_json_in_the_form_of_rfc_8785(row):
    """Which for an object of texts, whole numbers, flags and nulls is what Python's
    own encoder writes, with the names sorted and no spaces."""
    personal = row[len(leaf.FIXED) : -1]
    plain = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in zip(leaf.PERSONAL, personal, strict=True)
    }
    text = json.dumps(
        plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ).encode()

    assert leaf.PERSON.canonical(personal) == text
    assert json.loads(text) == plain


@given(st.lists(values, min_size=3, max_size=3))
def test_names_stand_in_the_order_of_the_alphabet(three):
    form = leaf.Form("nv-test-1", ["c", "a", "b"])

    assert list(json.loads(form.canonical(three))) == ["a", "b", "c"]


@given(st.text(alphabet='"\\,:{}\x00\x1f\n\u2028abc', max_size=8), st.text(max_size=4))
def test_no_text_reaches_out_of_its_place(one, other):
    form = leaf.Form("nv-test-1", ["a", "b"])

    assert json.loads(form.canonical([one, other])) == {"a": one, "b": other}


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 5, 3, 10, 11, 12, 345678, tzinfo=UTC),
        datetime(2026, 5, 3, 12, 11, 12, 345678, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_is_its_microseconds_whatever_its_zone(at):
    assert leaf.microseconds(at) == 1_777_803_072_345_678


def test_the_leaf_is_what_the_reference_says():
    """Computed once by hand with sha256sum, so that no rewrite changes it unseen."""
    said = dict.fromkeys(leaf.FIXED, "") | {"id": UUID(int=1), "tries": 0}
    row = (*said.values(), *leaf.PERSONAL.values(), b"")
    person = (
        b'nv-personal-1\n{"code_reference":"","details_digest":"","device_digest":"",'
        b'"fingerprint_key":"","holder_digest":"","ip":null,"next":"",'
        b'"number_fingerprint":"","number_mask":"","operator_subject":"","salt":"",'
        b'"state_digest":null,"user_agent":""}'
    )
    whole = (
        'nv-row-1\n{"action":"","asked_because":"","attention":"","browser_known":"",'
        '"claimed_at":"","country":"","created_at":"","expires_at":"",'
        '"id":"00000000000000000000000000000001","method":"","notice_version":"",'
        '"operator":"","operator_chosen":"","operator_ms":"",'
        f'"personal":"{hashlib.sha256(person).hexdigest()}","previous":"","purpose":"",'
        '"reason":"","sends":"","sent_at":"","settled_at":"","sim_swap":"","status":"",'
        '"test":"","tries":0,"tries_allowed":""}'
    )

    assert leaf.leaf_of(row) == hashlib.sha256(whole.encode()).digest()


def in_writing(row) -> dict:
    """A row as the reference has its columns written."""
    plain = {bytes: bytes.hex, UUID: lambda value: value.hex}
    return {
        name: plain.get(type(value), lambda value: value)(value)
        for name, value in zip(leaf.COLUMNS, row, strict=True)
    }


@pytest.fixture(scope="module")
def by_the_book() -> dict:
    """The verifier that the reference prints, for who writes their own."""
    page = (settings.BASE_DIR / "docs/reference/seal.md").read_text()
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], names)
    return names


@given(row=rows)
def test_the_verifier_in_the_reference_finds_the_same(by_the_book, row):
    assert by_the_book["leaf"](in_writing(row)) == leaf.leaf_of(row).hex()
    erased = (
        *row[: len(leaf.FIXED)],
        *leaf.PERSONAL.values(),
        leaf.commitment_of(row),
    )
    assert by_the_book["leaf"](in_writing(erased)) == leaf.leaf_of(row).hex()


@given(rows)
def test_a_forgotten_row_has_the_leaf_that_it_had(row):
    erased = (
        *row[: len(leaf.FIXED)],
        *leaf.PERSONAL.values(),
        leaf.commitment_of(row),
    )

    assert leaf.leaf_of(erased) == leaf.leaf_of(row)


@given(rows, st.sampled_from(sorted(leaf.PERSONAL)))
def test_what_is_written_into_a_forgotten_row_spoils_it(row, name):
    written = dict(leaf.PERSONAL) | {name: b"1" if leaf.PERSONAL[name] == b"" else "1"}
    forged = (*row[: len(leaf.FIXED)], *written.values(), leaf.commitment_of(row))

    spoiled = leaf.leaf_of(forged)
    assert spoiled != leaf.leaf_of(row)
    assert len(spoiled) == 32  # so that the leaves behind it keep their places


@given(rows)
def test_a_row_that_keeps_its_person_and_says_to_be_forgotten_is_another(row):
    assume(any(row[len(leaf.FIXED) : -1]))
    said = (*row[:-1], leaf.commitment_of(row))

    assert leaf.leaf_of(said) != leaf.leaf_of(row)
