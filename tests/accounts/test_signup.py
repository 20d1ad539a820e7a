from accounts.models import User
from tests.factories import ANN, PASSWORD

SIGNUP = "/accounts/signup/"
TYPED = {
    "email": "Ann@Example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": "07700 900123",
}


def test_a_match_opens_the_account_and_signs_in(db, browser, operator):
    started = browser.submit(SIGNUP, **TYPED)
    returned = browser.come_back(operator, started)
    page = browser.follow(returned)

    user = User.objects.get(email="ann@example.com")
    assert page.request["PATH_INFO"] == "/accounts/profile/"
    assert page.context["user"] == user
    assert user.profile.phone == ANN
    assert user.profile.phone_verified_at
