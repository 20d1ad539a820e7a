"""Asking about a recent SIM swap: before a text message is offered, and before an
action that the step-up table marks. The answer stands in the row; `ways` has its
effect."""

from datetime import timedelta

from django.utils import timezone

from . import conf, routing, subscriber, ways
from .choices import Method, Purpose
from .models import Verification
from .msisdn import Msisdn

ASK_AGAIN_AFTER = timedelta(minutes=10)
PATIENCE = 3.0  # seconds: a person waits


def note(row: Verification, msisdn: Msisdn | None) -> None:
    """Put into a row what the operator says, where it matters to the row's question.

    The caller saves it. Operators are asked: no transaction may be open.
    """
    if msisdn is None or not _matters(row) or not _can_be_asked(msisdn):
        return
    lately = ways.said_of_sim(row, since=timezone.now() - ASK_AGAIN_AFTER)
    row.sim_swap = lately or str(
        subscriber.sim_swapped(msisdn, within=conf.sim_swap_within(), patience=PATIENCE)
    )


def _matters(row: Verification) -> bool:
    accepts = conf.accepts(Purpose(row.purpose), row.action)
    leads_to_sms = Method.SMS in accepts and ways.sends_sms()
    return leads_to_sms or conf.is_marked(row.action or row.purpose)


def _can_be_asked(msisdn: Msisdn) -> bool:
    serving = routing.serving(msisdn.countries)
    return ways.hears_of_swaps() and any(each.sim_swap_url for each in serving)
