"""Forms that come before the proof, and proofs for exactly these details."""

import pytest
from django.core import signing

from numberverify.models import Verification
from numberverify.stepup import (
    confirmed,
)
from tests.factories import PASSWORD, UserFactory
from tests.numberverify.typed import app_of, later, shown_by, texted

from .site import asks, both, done, is_open, prove

pytestmark = pytest.mark.django_db


# A form that comes before the proof


@both
def test_it_is_never_replayed(signed_in, operator, place):
    page = f"{place}pay/"
    asked = signed_in.submit(page, amount="10", note="rent")
    assert asks(asked)
    assert not Verification.objects.exists()

    opened = go_on(signed_in, operator, asked, page)

    assert is_open(opened)
    assert done == []


def go_on(browser, operator, asked, page, **fields):
    """Press the button of a confirm page, and come back with a match."""
    fields |= {"confirmed": asked.context["confirmed"]}
    started = browser.submit(page, **fields)
    return browser.follow(browser.come_back(operator, started))


@both
def test_what_may_be_kept_comes_back(signed_in, operator, place):
    page = f"{place}pay/"
    asked = signed_in.submit(page, amount="10", note="rent", pin="9876")

    opened = go_on(signed_in, operator, asked, page)

    assert "{'amount': '10', 'note': 'rent'}" in opened.text
    assert "{}" in signed_in.get(f"{page}?another=page").text
    signed_in.submit(page, amount="10")
    assert "rent" not in str(signed_in.session["nv_kept"])


@both
def test_a_secret_reaches_neither_page_nor_session(signed_in, operator, place):
    asked = signed_in.submit(f"{place}pay/", amount="10", pin="s3cret")
    signed = signing.loads(asked.context["confirmed"], salt=confirmed.SALT)
    go_on(signed_in, operator, asked, f"{place}pay/")

    assert "s3cret" not in asked.text + str(signed)
    assert "s3cret" not in str(dict(signed_in.session))
    assert "s3cret" not in str(list(Verification.objects.values()))


def test_the_sites_own_secrets_are_not_kept_either(signed_in, operator):
    typed = {"old_password": PASSWORD, "new_password1": "n3w", "new_password2": "n3w"}

    asked = signed_in.submit("/accounts/password/change/", **typed)

    assert asks(asked)
    assert asked.context["confirmed"] == ""
    assert PASSWORD not in asked.text
    assert "nv_kept" not in signed_in.session


def test_too_much_is_not_kept_and_the_check_goes_on(signed_in, operator):
    asked = signed_in.submit("/pay/", amount="10", note="x" * 5000)

    assert asked.context["confirmed"] == ""
    assert is_open(prove(signed_in, operator, "/pay/"))


def test_by_another_way_what_was_typed_comes_back_too(signed_in, ann):
    app = app_of(ann)
    asked = signed_in.submit("/pay/", amount="10")
    fields = {"confirmed": asked.context["confirmed"], "method": "totp"}
    page = signed_in.submit("/pay/", **fields)["Location"]

    opened = signed_in.follow(signed_in.submit(page, code=shown_by(app)))

    assert "{'amount': '10'}" in opened.text
    assert done == []


# Details


def wired(browser, page, **fields):
    return browser.submit(page, **{"payee": "Cat", "amount": "10"} | fields)


@both
def test_it_shows_what_exactly_is_confirmed_and_pays_for_that(
    signed_in, operator, place
):
    page = f"{place}wire/"
    asked = wired(signed_in, page)
    assert "<dt>To</dt><dd>Cat</dd><dt>Amount</dt><dd>10</dd>" in asked.text

    opened = go_on(signed_in, operator, asked, page)
    assert "{'amount': '10', 'payee': 'Cat'}" in opened.text
    assert wired(signed_in, page).text == "done"
    assert asks(wired(signed_in, page))
    assert done == ["10"]


@pytest.mark.parametrize(
    "changed",
    [{"amount": "100"}, {"payee": "Dan"}, {"payee": "Cat "}, {"amount": "10.00"}],
)
@both
def test_a_changed_detail_is_asked_for_again(signed_in, operator, place, changed):
    page = f"{place}wire/"
    go_on(signed_in, operator, wired(signed_in, page), page)

    assert asks(wired(signed_in, page, **changed))
    assert done == []
    assert wired(signed_in, page).text == "done"


def test_a_form_with_errors_is_shown_without_a_proof(signed_in):
    assert is_open(signed_in.submit("/wire/", payee="Cat"))
    assert done == []


def test_a_proof_of_no_details_pays_for_none(signed_in, operator):
    started = signed_in.submit("/wire/", method="network")
    assert started["Location"] == "/wire/"
    signed_in.submit("/wire/", previous="01a20702-06f6-7729-bbe2-8b7af59c832d")

    assert bytes(Verification.objects.get().details_digest) == b""
    signed_in.come_back(operator, started_anew(signed_in))
    assert asks(wired(signed_in, "/wire/"))


def started_anew(browser):
    fields = {"previous": str(Verification.objects.get().pk)}
    return browser.submit("/wire/", **fields)


def test_the_details_are_kept_over_another_way(signed_in, operator, ann):
    asked = wired(signed_in, "/wire/")
    fields = {"confirmed": asked.context["confirmed"], "method": "other"}
    ended = signed_in.follow(signed_in.submit("/wire/", **fields))
    row = ended.context["verification"]
    fields = {"method": "sms", "previous": str(row.pk)}
    page = signed_in.submit("/wire/", f"/verify/{row.pk}/", **fields)["Location"]

    signed_in.submit(page, code=texted())

    assert asks(wired(signed_in, "/wire/", amount="100"))
    assert wired(signed_in, "/wire/").text == "done"


@pytest.mark.parametrize(
    ("action", "is_anns", "late"),
    [
        pytest.param("pay", True, 0, id="of another action"),
        pytest.param("wire", False, 0, id="of another person"),
        pytest.param("wire", True, 61, id="of an hour ago"),
    ],
)
def test_what_another_page_of_ours_said_is_not_believed(
    signed_in, ann, action, is_anns, late
):
    person = ann if is_anns else UserFactory()
    said = confirmed.write(confirmed.Confirmed({"To": "Eve"}), action, person)

    with later(minutes=late):
        answer = signed_in.submit("/wire/", confirmed=said)

    assert answer["Location"] == "/wire/"
    assert not Verification.objects.exists()


@pytest.mark.parametrize("value", ["", "x", "x:y:z", "é", "\x00"])
def test_a_made_up_confirmation_is_none(ann, value):
    assert confirmed.read(value, "wire", ann) is None
