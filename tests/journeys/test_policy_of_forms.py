"""Content-Security-Policy's form-action, which Chromium checks on every redirect."""

import pytest

from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = pytest.mark.browser
HOPS = ["hop1.localhost", "hop2.localhost"]


@pytest.fixture
def far_operator(phone, operator):
    """An operator that sends the browser over several foreign hosts and back."""
    operator.hops = HOPS
    for host in ["127.0.0.1", *HOPS]:
        phone.hosts.add(f"{host}:{operator.port}")
    return operator


def hosts_on_the_way(phone, operator):
    foreign = [each for each in phone.addresses if f":{operator.port}/" in each]
    return [each.removeprefix("http://").partition(":")[0] for each in foreign]


def test_the_signup_form_leaves_for_an_operator_of_several_hosts(phone, far_operator):
    phone.sign_up()

    assert phone.at == "/accounts/profile/"
    assert hosts_on_the_way(phone, far_operator) == ["127.0.0.1", *HOPS]


def test_so_does_the_login_form(phone, far_operator):
    phone.log_in(UserFactory(phone=ANN))

    assert phone.is_signed_in
    assert hosts_on_the_way(phone, far_operator) == ["127.0.0.1", *HOPS]


def test_so_does_the_confirm_page(phone, far_operator):
    phone.become(UserFactory(phone=ANN))
    phone.open("/accounts/password/change/")
    phone.press("Check my number")

    phone.sees("Change your password")


def test_so_do_trying_again_and_adding_a_number(phone, far_operator):
    phone.become(UserFactory())
    far_operator.sim = "+447700900456"
    phone.open("/accounts/phone/")
    phone.fill(phone="07700 900123", password=PASSWORD)
    phone.press("Check my number")
    phone.sees("The number does not match this SIM")
    far_operator.sim = ANN
    phone.press("Try again")

    phone.reads("Your number is confirmed.")


def test_so_does_the_mailed_link(phone, mails, far_operator):
    ann = UserFactory(phone=ANN)
    phone.open("/accounts/password/reset/")
    phone.fill(email=ann.email)
    phone.press("Send me a link")
    phone.open(mails()[0].links[0])
    phone.press("Check my number")

    phone.sees("Choose a new password")


def test_a_form_of_the_profile_leaves_for_no_other_host(phone, operator):
    phone.become(UserFactory())
    phone.open("/accounts/profile/")
    answer = phone.context.request.get(f"{phone.site}/accounts/profile/")
    policy = answer.headers["content-security-policy"].split("; ")
    assert "form-action 'self'" in policy

    away = f"{operator.base_url}/stolen"
    phone.page.eval_on_selector("nav form", "(form, to) => form.action = to", away)
    phone.page.get_by_role("button", name="Log out").click(no_wait_after=True)

    phone.complains_about("form-action 'self'")
    assert phone.at == "/accounts/profile/"
    assert operator.calls == []
