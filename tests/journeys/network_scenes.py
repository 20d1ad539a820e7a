"""Several networks, and a SIM that is tried with one."""

from django.urls import reverse

from numberverify import trial
from numberverify.choices import Reason
from numberverify.msisdn import Msisdn
from tests.factories import ANN, UserFactory, VerificationFactory

from .scenes import scene

GERMAN = "+4915228817386"


@scene
def which_network(phone, mails):
    phone.sign_up(phone="+49 1522 8817386")


@scene
def which_network_errors(phone, mails):
    phone.sign_up(phone="+49 1522 8817386")
    phone.press("Ask this network")


@scene
def which_network_at_send_money(phone, mails):
    user = UserFactory(email="ann@example.com", phone=GERMAN)
    phone.become(user)
    phone.open("/sandbox/send-money/")
    phone.fill(payee="Ben", amount="10")
    phone.press("Send")
    phone.press("Check my number")


@scene
def another_network(phone, mails):
    phone.hold(number=GERMAN, network="wifi")
    which_network(phone, mails)
    phone.main.get_by_role("radio", name="the sandbox network", exact=True).check()
    phone.press("Ask this network")


@scene
def not_their_number(phone, mails):
    row = VerificationFactory(unavailable=True, country="DE", binding="theirs")
    row.reason = Reason.NOT_THEIR_NUMBER
    row.save()
    cookie = {"name": "nv_binding", "value": "theirs", "url": phone.site}
    phone.context.add_cookies([cookie])
    phone.open(f"/verify/{row.pk}/")


@scene
def trial_page(phone, mails):
    row, secret = trial.begin("sandbox", Msisdn(ANN))
    phone.open(reverse("numberverify:trial", args=[row.pk, secret]))


@scene
def trial_match(phone, mails):
    trial_page(phone, mails)
    phone.press("Check the number")


@scene
def trial_no_match(phone, mails):
    phone.hold(number="+447700900456")
    trial_page(phone, mails)
    phone.press("Check the number")
