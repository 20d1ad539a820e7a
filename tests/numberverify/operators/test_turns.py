"""How many may wait for one operator at once."""

import threading
import time

import pytest

from numberverify.errors import OperatorBusy
from numberverify.operators import turns
from numberverify.operators.turns import Turns

LONG = 30.0  # seconds, that nobody waits here


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(turns, "SILENCE", 0.05)


def waiting(line: Turns, *, patience=LONG) -> tuple[threading.Thread, list[object]]:
    """Somebody else who wants a turn, and what becomes of it."""
    found: list[object] = []

    def take():
        try:
            found.append(line.take(patience=patience))
        except OperatorBusy as busy:
            found.append(busy)

    other = threading.Thread(target=take)
    other.start()
    return other, found


def test_who_comes_while_a_silent_operator_has_its_fill_is_told_soon(impatient):
    line = Turns(2)
    line.take(patience=LONG)
    line.take(patience=LONG)

    with pytest.raises(OperatorBusy):
        line.take(patience=LONG)


def test_who_comes_while_it_answers_waits_for_a_turn():
    line = Turns(1)
    line.take(patience=LONG)
    other, found = waiting(line)

    line.give_back(answered=True)

    other.join(LONG)
    assert found == [True]


def test_an_answer_to_others_keeps_the_queue_waiting(monkeypatch):
    monkeypatch.setattr(turns, "SILENCE", LONG)
    line = Turns(2)
    line.take(patience=LONG)
    line.take(patience=LONG)
    line.moved_at -= 2 * LONG  # it was silent for so long
    line.give_back(answered=True)
    line.take(patience=LONG)
    other, found = waiting(line)
    time.sleep(0.1)

    assert found == []
    line.give_back(answered=False)
    other.join(LONG)
    assert found == [True]


def test_nobody_waits_longer_than_its_own_patience():
    line = Turns(1)
    line.take(patience=LONG)

    with pytest.raises(OperatorBusy):
        line.take(patience=0.01)


def test_who_pauses_may_wait_on():
    line = Turns(1)
    line.take(patience=LONG)

    assert not line.take(patience=LONG, pause=0.01)
    line.give_back(answered=True)
    assert line.take(patience=LONG)


def test_after_a_pause_silence_begins_anew(monkeypatch):
    monkeypatch.setattr(turns, "SILENCE", LONG)
    line = Turns(1)
    line.take(patience=LONG)
    line.give_back(answered=False)
    line.moved_at -= 2 * LONG  # nobody came for so long
    line.take(patience=LONG)
    other, found = waiting(line)

    line.give_back(answered=True)

    other.join(LONG)
    assert found == [True]
