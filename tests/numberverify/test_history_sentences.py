"""What is said of a row: every combination has sentences, and they are true."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from numberverify.choices import Because, Method, Purpose, Reason, SimSwap, Status
from numberverify.history.sentences import story
from numberverify.models import Verification
from tests.factories import VerificationFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OPEN = (Status.PENDING, Status.EXCHANGING)
SAYS_NO = ("another number", "declined", "wrong codes were typed", "was refused")


def row(**columns):
    """A row as it would be read; it is not saved."""
    defaults = {
        "purpose": Purpose.LOGIN,
        "asked_because": Because.NEW_BROWSER,
        "method": Method.NETWORK,
        "operator": "vodafone-uk",
        "status": Status.VERIFIED,
        "created_at": NOW,
        "expires_at": NOW + timedelta(minutes=5),
    }
    return Verification(**defaults | columns)


def said(**columns):
    return story(row(**columns), now=NOW)


@pytest.fixture(autouse=True)
def _vodafone(settings):
    table = dict(settings.NV_OPERATORS["sandbox"])
    settings.NV_OPERATORS = {"vodafone-uk": table | {"label": "Vodafone UK"}}


def test_the_example_of_a_refusal():
    assert said(status=Status.MISMATCHED) == [
        "Asked because this browser was new.",
        "Vodafone UK said that the SIM has another number.",
    ]


def every_combination():
    return product(Status, ["", *Reason], Method, Purpose)


def test_every_combination_is_told_in_whole_sentences():
    wrong = []
    for status, reason, method, purpose in every_combination():
        told = said(status=status, reason=reason, method=method, purpose=purpose)
        text = " ".join(told)
        whole = text[0].isupper() and text.endswith(".") and len(told) >= 2
        if not whole or "%" in text or "  " in text or "None" in text:
            wrong.append((status, reason, method, purpose, text))

    assert wrong == []


def test_could_not_tell_is_never_told_as_a_no_and_says_what_it_is_worth():
    wrong = []
    for reason, method in product(["", *Reason], Method):
        text = " ".join(said(status=Status.UNAVAILABLE, reason=reason, method=method))
        if "says nothing against the person" not in text or SAYS_NO[0] in text:
            wrong.append((reason, method, text))

    assert wrong == []


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.UNAVAILABLE}))
def test_nothing_else_says_that_nobody_could_tell(status):
    for reason, method in product(["", *Reason], Method):
        text = " ".join(said(status=status, reason=reason, method=method))

        assert "nobody could tell" not in text


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.MISMATCHED}))
def test_only_a_no_match_says_that_the_sim_has_another_number(status):
    for reason, method in product(["", *Reason], Method):
        assert SAYS_NO[0] not in " ".join(
            said(status=status, reason=reason, method=method)
        )


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.VERIFIED}))
def test_only_a_match_speaks_of_a_proof_that_was_used(status):
    for method in Method:
        text = " ".join(said(status=status, method=method))

        assert "The proof" not in text
        assert "has this number" not in text


def test_each_reason_is_told_in_words_of_its_own_and_at_every_ending():
    settled = sorted(set(Status) - set(OPEN))
    told = {
        reason: [" ".join(said(status=status, reason=reason)) for status in settled]
        for reason in Reason
    }
    bare = [" ".join(said(status=status)) for status in settled]

    assert len({texts[0] for texts in told.values()}) == len(Reason)
    assert all(
        text != without
        for texts in told.values()
        for text, without in zip(texts, bare, strict=True)
    )


@pytest.mark.parametrize("because", sorted(set(Because) - {Because.REQUIRED}))
def test_the_policys_reason_comes_first_whatever_it_was_for(because):
    first = {said(asked_because=because, purpose=purpose)[0] for purpose in Purpose}

    assert len(first) == 1
    assert first.pop().startswith("Asked because")


def test_what_is_always_asked_says_for_what():
    required = {"asked_because": Because.REQUIRED, "action": "send_money"}
    first = {purpose: said(purpose=purpose, **required)[0] for purpose in Purpose}

    assert len(set(first.values())) == len(Purpose)
    assert "“send_money”" in first[Purpose.STEP_UP]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"redeemed_at": NOW}, "The proof was used."),
        ({}, "The proof has not been used."),
        ({"method": Method.SMS}, "The code of the text message was right."),
        ({"method": Method.TOTP}, "The code of the authenticator app was right."),
        ({"method": Method.RECOVERY_CODE}, "The recovery code was right."),
        ({"method": Method.MANUAL}, "Two members of staff said that it is this person"),
        ({"status": Status.PENDING}, "was sent to Vodafone UK and has not come back"),
        (
            {"status": Status.PENDING, "expires_at": NOW},
            "has not come back so far. The time for it is over.",
        ),
        (
            {"status": Status.PENDING, "operator": ""},
            "has not said so far which network",
        ),
        ({"status": Status.EXPIRED, "operator": ""}, "did not say in time which"),
        ({"status": Status.EXPIRED}, "did not come back from Vodafone UK in time"),
        (
            {"status": Status.EXPIRED, "method": Method.SMS},
            "Nobody typed the code of the text message in time.",
        ),
        (
            {"status": Status.EXPIRED, "reason": Reason.REPLACED},
            "the newer code took its place",
        ),
        ({"status": Status.EXCHANGING}, "Vodafone UK is being asked"),
        (
            {"status": Status.REFUSED, "reason": Reason.WRONG_CODES},
            "Too many wrong codes were typed.",
        ),
        (
            {"status": Status.UNAVAILABLE, "reason": Reason.METHOD_CLOSED},
            "The check by the mobile network was not open here: not allowed",
        ),
        ({"attention": True}, "It looks like an attack."),
        ({"test": True}, "This was a test, which says nothing about a real SIM."),
        ({"sim_swap": SimSwap.YES}, "the SIM was changed lately"),
        ({"sim_swap": SimSwap.UNKNOWN}, "Nobody could say whether the SIM"),
        ({"operator": ""}, "The mobile network said that the SIM has this number."),
    ],
)
def test_what_is_said_when(columns, words):
    assert words in " ".join(said(**columns))


@pytest.mark.parametrize("status", OPEN)
def test_an_open_row_has_not_ended(status):
    text = " ".join(said(status=status))

    assert not any(word in text for word in ("said that", "in time", "was right"))


def test_an_operator_without_a_name_of_its_own_is_the_mobile_network(settings):
    table = dict(settings.NV_OPERATORS["vodafone-uk"])
    settings.NV_OPERATORS = {"default": table | {"label": "your mobile network"}}

    text = " ".join(said(operator="default", status=Status.PENDING))

    assert "was sent to the mobile network and" in text
    assert "your" not in text


def test_the_sentences_are_translated_when_they_are_read(monkeypatch):
    monkeypatch.setattr(
        "django.utils.translation._trans.gettext", lambda text: f"»{text}"
    )

    told = said(status=Status.UNAVAILABLE, reason=Reason.BAD_DISCOVERY, operator="")

    assert all(sentence.startswith("»") for sentence in told)


def test_a_saved_row_tells_the_same():
    saved = VerificationFactory(mismatched=True, operator="vodafone-uk")
    saved.refresh_from_db()

    assert "Vodafone UK said that" in " ".join(story(saved, now=NOW))


def test_a_proof_that_a_freeze_took_back_is_not_told_as_used():
    row = VerificationFactory.build(
        verified=True, reason=Reason.WITHDRAWN, redeemed_at=NOW
    )

    told = " ".join(story(row, now=NOW))

    assert "The account was frozen, shut or closed meanwhile." in told
    assert "paid for nothing" in told
    assert "was used" not in told
