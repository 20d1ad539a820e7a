"""What there is to picture: each scene brings a phone to one page or one ending."""

from collections.abc import Callable

from accounts.models import User
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory

from .phone import Phone

SCENES: dict[str, Callable[..., None]] = {}


def scene(prepare: Callable[..., None]) -> Callable[..., None]:
    SCENES[prepare.__name__] = prepare
    return prepare


def shown(name: str, path: str, status: int = 200) -> None:
    """A scene that is no more than a page."""
    SCENES[name] = lambda phone, mails: phone.open(path, status=status)


shown("home", "/")
shown("signup", "/accounts/signup/")
shown("login", "/accounts/login/")
shown("reset", "/accounts/password/reset/")
shown("reset_sent", "/accounts/password/reset/sent/")
shown("reset_link_over", "/accounts/password/reset/MQ/made-up/", 410)
shown("number_taken", "/accounts/signup/number-taken/")
shown("email_taken", "/accounts/signup/email-taken/")
shown("start_again", "/verify/callback/sandbox/?state=unknown", 400)
shown("not_found", "/nowhere/", 404)
shown("callback_unknown", "/verify/callback/nobody/", 404)
shown("sandbox_home", "/sandbox/")
shown("sandbox_handset", "/sandbox/handset/")


def ann_on(phone: Phone) -> User:
    user = UserFactory(email="ann@example.com", phone=ANN)
    phone.log_in(user)
    return user


def failed_signup(phone: Phone, **handset: str) -> None:
    phone.hold(**handset)
    phone.sign_up()


@scene
def home_signed_in(phone, mails):
    ann_on(phone)
    phone.open("/")


@scene
def signup_errors(phone, mails):
    phone.open("/accounts/signup/")
    phone.fill(email="ann@", phone="020 7946 0000", password1="1234", password2="1")
    phone.press("Check my number and sign up")


@scene
def signup_corrected(phone, mails):
    failed_signup(phone, number="+447700900456")
    phone.follow("Correct the number")


@scene
def login_wrong(phone, mails):
    phone.log_in(UserFactory(), "wrong")


@scene
def login_empty(phone, mails):
    phone.open("/accounts/login/")
    phone.press("Log in")


@scene
def profile_after_signup(phone, mails):
    phone.sign_up(email="a.rather.long.address.of.somebody@subdomain.example.com")


@scene
def profile_without_number(phone, mails):
    phone.log_in(UserFactory())


@scene
def profile_with_checks(phone, mails):
    user = ann_on(phone)
    VerificationFactory(user=user, mismatched=True, purpose="password_change")
    VerificationFactory(user=user, unavailable=True, purpose="password_reset")
    phone.open("/accounts/profile/")


@scene
def phone_add(phone, mails):
    profile_without_number(phone, mails)
    phone.open("/accounts/phone/")


@scene
def phone_added(phone, mails):
    phone_add(phone, mails)  # just logged in: the password is not asked again
    phone.fill(phone="07700 900123")
    phone.press("Check my number")


@scene
def phone_errors(phone, mails):
    phone_add(phone, mails)
    phone.fill(phone="12")
    phone.press("Check my number")


@scene
def phone_taken(phone, mails):
    UserFactory(phone=ANN)
    phone_added(phone, mails)


@scene
def phone_on_file(phone, mails):
    ann_on(phone)
    phone.open("/accounts/phone/")


@scene
def step_up(phone, mails):
    ann_on(phone)
    phone.open("/accounts/password/change/")


@scene
def step_up_number_needed(phone, mails):
    profile_without_number(phone, mails)
    phone.open("/accounts/password/change/")


@scene
def password_change(phone, mails):
    step_up(phone, mails)
    phone.press("Check my number")


@scene
def password_change_errors(phone, mails):
    password_change(phone, mails)
    phone.fill(old_password="wrong", new_password1="1234", new_password2="1234")
    phone.press("Change the password")


@scene
def password_changed(phone, mails):
    password_change(phone, mails)
    new = "an entirely n3w one"
    phone.fill(old_password=PASSWORD, new_password1=new, new_password2=new)
    phone.press("Change the password")


def ask_for_a_link(phone: Phone, mails: Callable[..., list], user: User) -> None:
    phone.open("/accounts/password/reset/")
    phone.fill(email=user.email)
    phone.press("Send me a link")
    phone.open(mails()[0].links[0])


@scene
def reset_link(phone, mails):
    ask_for_a_link(phone, mails, UserFactory(phone=ANN))


@scene
def reset_link_without_number(phone, mails):
    ask_for_a_link(phone, mails, UserFactory())


@scene
def reset_new(phone, mails):
    reset_link(phone, mails)
    phone.press("Check my number")


@scene
def reset_new_errors(phone, mails):
    reset_new(phone, mails)
    phone.press("Set the password")


@scene
def reset_done(phone, mails):
    reset_new(phone, mails)
    new = "an entirely n3w one"
    phone.fill(new_password1=new, new_password2=new)
    phone.press("Set the password")


@scene
def email_confirm(phone, mails):
    phone.sign_up()
    phone.open(mails()[0].links[0])


@scene
def email_confirmed(phone, mails):
    email_confirm(phone, mails)
    phone.press("Yes, this is my address")


@scene
def email_close(phone, mails):
    phone.sign_up()
    phone.open(mails()[0].links[1])


@scene
def email_closed(phone, mails):
    email_close(phone, mails)
    phone.press("It was not me: close the account")
