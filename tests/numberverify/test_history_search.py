"""The search of the history, and what is wrong in its address."""

import pytest

from numberverify.choices import Purpose
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.history import HISTORY, rows_on

pytestmark = pytest.mark.django_db
BEN = "+447700900456"


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


def found_by(staff, typed):
    """The list that a search leads to."""
    answer = staff.post(HISTORY, {"q": typed})
    assert answer.status_code == 303, answer.context["not_found"]
    return answer["Location"]


@pytest.mark.parametrize("typed", [ANN, "07700 900123", "(07700) 900-123"])
def test_a_whole_phone_number_is_posted_and_found_by_fingerprint(staff, typed):
    mine = {VerificationFactory(verified=True), VerificationFactory(mismatched=True)}
    mine.add(VerificationFactory())
    VerificationFactory(verified=True, msisdn=BEN)

    address = found_by(staff, typed)

    assert "900123" not in address
    assert set(rows_on(staff.get(address))) == mine


def test_a_number_is_found_under_older_keys_too(staff, settings):
    old = VerificationFactory(verified=True)
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]
    new = VerificationFactory(verified=True)
    assert old.fingerprint_key != new.fingerprint_key

    assert set(rows_on(staff.get(found_by(staff, ANN)))) == {old, new}


def test_an_email_finds_the_persons_rows(staff):
    mine = VerificationFactory(user=UserFactory(email="ann@example.com"))
    VerificationFactory(user=UserFactory())

    address = found_by(staff, "Ann@Example.com")

    assert "ann" not in address
    assert rows_on(staff.get(address)) == [mine]


@pytest.mark.parametrize("typed", ["192.0.2.7", "2001:DB8:0::7", " 192.0.2.7 "])
def test_a_client_address_finds_its_rows(staff, typed):
    ip = typed.strip().lower().replace(":0::", "::")
    mine = VerificationFactory(verified=True, ip=ip)
    VerificationFactory(verified=True, ip="192.0.2.70")

    assert rows_on(staff.get(found_by(staff, typed))) == [mine]


def test_an_id_finds_its_page(staff):
    row = VerificationFactory()

    assert found_by(staff, f" {row.pk} ").endswith(f"/{row.pk}/change/")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type a whole id"),
        ("0770", "Type a whole id"),
        ("07700 9001", "Is it whole?"),
        ("07700 900999", "no verification is of this number"),
        ("192.0.2", "Type a whole id"),
        ("192.0.2.99", "no verification came from this client address"),
        ("'; --", "Type a whole id"),
        ("\0", "Type a whole id"),
        ("nobody@example.com", "no account has this e-mail address"),
        ("a@b\0", "no account has this e-mail address"),
        ("01890000-0000-7000-8000-000000000000", "no verification has this id"),
    ],
)
def test_what_finds_nothing_says_so_on_the_page_as_it_was(staff, typed, said):
    wanted = VerificationFactory(verified=True, purpose=Purpose.LOGIN)
    VerificationFactory(verified=True)

    page = staff.post(f"{HISTORY}?purpose=login", {"q": typed})

    assert page.status_code == 200
    assert said in page.text
    assert "<title>Error:" in page.text
    assert 'aria-invalid="true" aria-describedby="searchbar_error"' in page.text
    assert rows_on(page) == [wanted]


def test_a_search_lands_on_the_page_that_it_was_typed_on(staff):
    page = staff.get(f"{HISTORY}?purpose=login")

    assert 'action="?purpose=login"' in page.text


# Edited by hand


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("outcome=won", "There is no such choice"),
        ("reason=%00", "There is no such choice"),
        ("purpose=Login", "There is no such choice"),
        ("method=network'--", "There is no such choice"),
        ("operator=No+Such", "There is no such choice"),
        ("country=XX", "No numbers are known of such a country"),
        ("country=United+Kingdom", "at most 3 characters"),
        ("country=%00", "Null characters"),
        ("since=31.5.2026", "Enter a day, like 2026-05-31"),
        ("since=2026-02-30", "Enter a day, like 2026-05-31"),
        ("since=1969-12-31", "Enter a day from 1970 on"),
        ("until=0001-01-01", "Enter a day from 1970 on"),
        ("since=2099-05-02&until=2099-05-01", "It ends before it begins"),
        ("flag=no", "There is no such choice"),
        ("test=maybe", "There is no such choice"),
        ("at=noon", "Enter a day and a time"),
        ("at=0001-01-01T00:00", "Enter a time after 1970"),
        ("at=9999-12-31T23:59", None),
        ("person=ann", "That is no person"),
        ("person=99999999999999999999999999", "That is no person"),
        ("person=9223372036854775807", None),
        ("person=-1", None),
        ("address=192.0.2", "That is no client address"),
        ("fingerprint=zz", "That is no number searched for"),
        ("fingerprint=ab-", "That is no number searched for"),
        ("fingerprint=" + "-".join(["0" * 32] * 20), "at most 400 characters"),
        ("older=1", "That is no key of a verification"),
        ("newer=%00", "That is no key of a verification"),
        (
            "older=01890000-0000-7000-8000-000000000000"
            "&newer=01890000-0000-7000-8000-000000000000",
            "That is no key of a verification",
        ),
        ("outcome=verified&outcome=refused", "given more than once"),
        ("status__exact=verified", "no filter “status__exact”"),
        ("number__startswith=%2B", "no filter “number__startswith”"),
        ("user__password__startswith=a", "no filter “user__password__startswith”"),
        ("p=2", "no filter “p”"),
    ],
)
def test_a_wrong_filter_says_so_and_the_page_stays(staff, query, said):
    VerificationFactory(verified=True)

    page = staff.get(f"{HISTORY}?{query}")

    assert page.status_code == 200
    if said:
        assert said in page.text.split('id="changelist"')[0]
        assert "<title>Error:" in page.text
        assert len(rows_on(page)) == 1
    else:
        assert not page.context["form"].errors


def test_the_other_filters_hold_beside_a_wrong_one(staff):
    wanted = VerificationFactory(mismatched=True)
    VerificationFactory(verified=True)

    page = staff.get(f"{HISTORY}?outcome=mismatched&purpose=nonsense")

    assert rows_on(page) == [wanted]
    assert 'aria-invalid="true"' in page.text


def test_nothing_typed_into_the_address_is_markup(staff):
    page = staff.get(f"{HISTORY}?operator=<script>&<b>=1")

    assert "<script>&" not in page.text
    assert "“<b>”" not in page.text


def test_a_key_that_was_never_given_is_a_place_between_its_neighbours(staff):
    row = VerificationFactory(verified=True)
    before_all = "01000000-0000-7000-8000-000000000000"

    assert rows_on(staff.get(HISTORY, {"newer": before_all})) == [row]
    beyond = staff.get(HISTORY, {"older": before_all})
    assert rows_on(beyond) == []
    assert "no verification beyond this place" in beyond.text


def test_the_empty_fields_of_the_form_leave_the_address(staff):
    answer = staff.get(f"{HISTORY}?outcome=&reason=&country=GB&at=")

    assert answer.status_code == 303
    assert answer["Location"] == f"{HISTORY}?country=GB"
    assert staff.get(f"{HISTORY}?outcome=", follow=True).status_code == 200
