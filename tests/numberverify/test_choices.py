"""The words of a verification are stored and told to others: they stay."""

import pytest

from numberverify import errors
from numberverify.choices import OPEN, Because, Method, Purpose, Reason, Status
from numberverify.models import Verification


def subclasses(kind: type) -> set[type]:
    below = kind.__subclasses__()
    return set(below).union(*(subclasses(each) for each in below))


@pytest.mark.parametrize(
    ("choices", "values"),
    [
        pytest.param(
            Purpose,
            "signup login password_change password_reset phone_change step_up",
            id="purposes",
        ),
        pytest.param(Method, "network sms totp recovery_code manual", id="methods"),
        pytest.param(
            Status,
            "pending exchanging verified mismatched unavailable refused expired",
            id="statuses",
        ),
        pytest.param(Because, "required always new_browser stale", id="because"),
    ],
)
def test_the_words_are_those_of_the_contract(choices, values):
    assert choices.values == values.split()


def test_open_is_what_nobody_has_settled():
    assert set(OPEN) == {Status.PENDING, Status.EXCHANGING}


@pytest.mark.parametrize(
    "error",
    sorted(subclasses(errors.OperatorError) | {errors.OperatorError}, key=str),
    ids=lambda error: error.__name__,
)
def test_each_way_an_operator_fails_has_a_reason_of_the_history(error):
    assert error.code in Reason.values


@pytest.mark.parametrize("choices", [Purpose, Method, Status, Because, Reason])
def test_each_word_fits_its_column_and_has_a_label(choices):
    names = {
        Purpose: "purpose",
        Method: "method",
        Status: "status",
        Because: "asked_because",
        Reason: "reason",
    }
    column = Verification._meta.get_field(names[choices])

    assert max(map(len, choices.values)) <= column.max_length
    assert all(str(label).strip() for label in choices.labels)
    assert len(set(choices.labels)) == len(choices.labels)


def test_different_failures_have_different_codes():
    # Those that only say more: of which kind, or from whom it was heard.
    same = {
        errors.OperatorError,
        errors.OperatorRefused,
        errors.SaidUnavailable,
    }
    kinds = subclasses(errors.NumberVerifyError) - same
    codes = [kind.code for kind in kinds]

    assert len(set(codes)) == len(codes)
