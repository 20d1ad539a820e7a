"""What a person sees who says that it was not them, and who is frozen."""

from accounts import account, notices
from accounts.models import Notice
from accounts.notice import Kind
from numberverify.browser import Browser
from tests.accounts.browsers import AGENTS
from tests.factories import ANN, PASSWORD, UserFactory

from .scenes import scene

BEFORE = "before@example.com"


def told(phone, mails, kind=Kind.NEW_BROWSER, **more):
    """Open the link of some news."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    where = Browser("", "200.87.100.1", AGENTS["stranger"])
    notices.tell(user, kind, where, **more)
    phone.open(mails()[-1].links[0])
    return user


@scene
def not_me(phone, mails):
    told(phone, mails)


@scene
def not_me_of_an_email(phone, mails):
    told(phone, mails, Kind.EMAIL_CHANGED, email_before=BEFORE)


@scene
def not_me_done(phone, mails):
    not_me(phone, mails)
    phone.press("This wasn't me")


@scene
def not_me_given_back(phone, mails):
    not_me_of_an_email(phone, mails)
    phone.press("This wasn't me")


@scene
def not_me_not_given_back(phone, mails):
    not_me_of_an_email(phone, mails)
    UserFactory(email=BEFORE)
    phone.press("This wasn't me")


@scene
def not_me_again(phone, mails):
    not_me_done(phone, mails)
    phone.open(mails()[0].links[0])


@scene
def not_me_after_the_reset(phone, mails):
    not_me_done(phone, mails)
    user = Notice.objects.get().user
    user.frozen_at = None
    user.save()
    phone.open(mails()[0].links[0])


@scene
def not_me_late(phone, mails):
    phone.open("/accounts/not-me/made-up/", status=410)


@scene
def login_frozen(phone, mails):
    user = UserFactory(phone=ANN)
    account.freeze(user)
    phone.open("/accounts/login/")
    phone.fill(username=user.email, password=PASSWORD)
    phone.press("Log in", status=403)
