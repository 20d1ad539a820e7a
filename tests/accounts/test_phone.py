import pytest

from accounts.models import Profile
from numberverify.choices import Purpose
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
PHONE = "/accounts/phone/"


@pytest.fixture
def signed_in(browser):
    user = UserFactory(email="ann@example.com")
    browser.submit("/accounts/login/", username=user.email, password=PASSWORD)
    browser.user = user
    return browser


def test_a_person_without_a_number_adds_and_verifies_one(signed_in, operator):
    started = signed_in.submit(PHONE, phone="07700 900 123", password=PASSWORD)
    page = signed_in.follow(signed_in.come_back(operator, started))

    row = Verification.objects.get()
    profile = Profile.objects.get(user=signed_in.user)
    assert page.request["PATH_INFO"] == "/accounts/profile/"
    assert "Your number is confirmed" in page.text
    assert (profile.phone, profile.phone_verification) == (ANN, row.pk)
    assert (row.purpose, row.user) == (Purpose.PHONE_CHANGE, signed_in.user)


def test_a_number_that_did_not_match_is_not_put_on_file(signed_in, operator):
    operator.sim = "+447700900999"
    started = signed_in.submit(PHONE, phone=ANN, password=PASSWORD)
    ended = signed_in.follow(signed_in.come_back(operator, started))

    page = signed_in.get(ended.context["verification"].next)

    assert f'value="{ANN}"' in page.text
    assert not Profile.objects.exclude(phone="").exists()


def test_a_proved_number_of_another_account_is_told_and_not_moved(signed_in, operator):
    owner = UserFactory(phone=ANN)
    started = signed_in.submit(PHONE, phone=ANN, password=PASSWORD)

    page = signed_in.follow(signed_in.come_back(operator, started))

    assert "already has an account" in page.text
    assert Profile.objects.get(phone=ANN).user == owner


def test_whoever_has_a_number_sees_it_masked(client):
    client.force_login(UserFactory(phone=ANN))

    page = client.get(PHONE)

    assert "•••123" in page.text
    assert ANN not in page.text
    assert client.post(PHONE, {"phone": "+447700900456"}).status_code == 200
    assert not Verification.objects.exists()


def test_a_number_that_came_on_file_meanwhile_is_not_replaced(signed_in, operator):
    first = signed_in.submit(PHONE, phone=ANN, password=PASSWORD)
    second = signed_in.submit(PHONE, phone="+447700900456", password=PASSWORD)
    signed_in.follow(signed_in.come_back(operator, first))
    operator.sim = "+447700900456"

    signed_in.follow(signed_in.come_back(operator, second))

    assert Profile.objects.get(user=signed_in.user).phone == ANN


def test_a_stranger_is_sent_to_login(client):
    assert client.get(PHONE)["Location"] == f"/accounts/login/?next={PHONE}"


def test_somebody_else_signed_in_cannot_finish_it(signed_in, operator):
    started = signed_in.submit(PHONE, phone=ANN, password=PASSWORD)
    returned = signed_in.come_back(operator, started)
    binding = signed_in.cookies["nv_binding"].value
    signed_in.force_login(UserFactory())
    signed_in.cookies["nv_binding"] = binding

    signed_in.get(returned["Location"])

    assert not Profile.objects.exclude(phone="").exists()


def test_bad_numbers_are_named_beside_the_field(signed_in):
    page = signed_in.submit(PHONE, phone="020 7946 0000", password=PASSWORD)

    assert "landline" in page.context["form"].errors["phone"][0]
    assert 'value="020 7946 0000"' in page.text


def test_a_number_just_proved_spares_the_next_login_in_this_browser(
    signed_in, operator
):
    started = signed_in.submit(PHONE, phone=ANN, password=PASSWORD)
    signed_in.follow(signed_in.come_back(operator, started))
    signed_in.submit("/accounts/logout/", page="/")

    again = signed_in.submit(
        "/accounts/login/", username="ann@example.com", password=PASSWORD
    )

    assert again["Location"] == "/accounts/profile/"


def test_an_account_whose_sessions_were_ended_gets_no_number(signed_in, operator):
    returned = signed_in.come_back(
        operator, signed_in.submit(PHONE, phone=ANN, password=PASSWORD)
    )
    binding = signed_in.cookies["nv_binding"].value
    signed_in.user.end_sessions()
    signed_in.force_login(signed_in.user)
    signed_in.cookies["nv_binding"] = binding

    signed_in.get(returned["Location"])

    assert not Profile.objects.exclude(phone="").exists()


def test_a_form_sent_after_the_session_ended_goes_to_login_by_a_get(signed_in):
    signed_in.get(PHONE)
    token = signed_in.cookies["csrftoken"].value
    signed_in.cookies["sessionid"] = ""

    sent = signed_in.post(PHONE, {"phone": ANN, "csrfmiddlewaretoken": token})

    assert (sent.status_code, sent["Location"]) == (
        303,
        f"/accounts/login/?next={PHONE}",
    )
