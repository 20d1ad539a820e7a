"""What must fit into 360 pixels, however long; each page as it is: test_looks.py."""

import pytest

from numberverify.choices import Reason
from tests.factories import ANN, UserFactory, VerificationFactory

pytestmark = pytest.mark.browser
LONG = "a.rather.long.name.of.somebody@subdomain.of.example.com"
FOR_THE_SIGNED_IN = [
    "/",
    "/accounts/profile/",
    "/accounts/password/change/",
    "/accounts/browsers/",
]


def width(phone):
    return phone.page.evaluate("document.documentElement.scrollWidth")


def test_no_page_scrolls_sideways_for_somebody_with_a_long_address(phone):
    phone.become(UserFactory(email=LONG, phone=ANN))
    too_wide = []
    for path in FOR_THE_SIGNED_IN:
        phone.open(path)
        too_wide += [path] if width(phone) > 360 else []

    assert too_wide == []


def test_a_number_that_no_check_of_ours_proved_has_no_reference(phone):
    phone.become(UserFactory(phone=ANN))
    phone.open("/accounts/profile/")

    assert "reference" not in phone.main.inner_text()


def test_the_search_box_of_the_history_holds_an_address(phone):
    phone.become(UserFactory(staff=True))
    phone.open("/admin/numberverify/verification/")

    assert phone.page.locator("#searchbar").bounding_box()["width"] >= 200


def test_no_page_of_the_history_scrolls_sideways(phone):
    person = UserFactory(email=LONG)
    one = {"user": person, "test": True, "attention": True, "user_agent": "x" * 256}
    first = VerificationFactory(
        unavailable=True, reason=Reason.OPERATOR_TOKEN_REFUSED, **one
    )
    row = VerificationFactory(
        verified=True,
        previous=first.pk,
        action="a_rather_long_name_of_an_action_of_fifty_letters_",
        operator="an-operator-with-a-rather-long-1",
        operator_subject="s" * 255,
        **one,
    )
    phone.become(UserFactory(staff=True))
    history = "/admin/numberverify/verification/"
    too_wide = []
    for path in [
        history,
        f"{history}?person={person.pk}&outcome=verified&operator={row.operator}",
        f"{history}?outcome=won&until=0001-01-01",
        f"{history}{row.pk}/change/",
    ]:
        phone.open(path)
        too_wide += [path] if width(phone) > 360 else []

    assert too_wide == []
