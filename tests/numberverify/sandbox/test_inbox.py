import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import time_machine

from numberverify.sandbox import inbox
from tests.numberverify.sandbox.wire import HANDSET, set_handset


def test_the_handset_shows_the_last_ten_messages_newest_first(client):
    for n in range(12):
        inbox.deliver("+447700900123", f"message {n:02}")
    inbox.deliver("+447700900124", "message to somebody else")

    page = client.get(HANDSET).content.decode()

    shown = re.findall(r"message ([0-9]+)", page)
    assert shown == [f"{n:02}" for n in range(11, 1, -1)]


def test_a_message_is_shown_with_its_time_for_an_hour(client):
    # 15 January 2027.
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        inbox.deliver("+447700900123", "a message")
        clock.shift(3599)
        assert "08:00:00 UTC" in client.get(HANDSET).content.decode()
        clock.shift(2)

        assert "a message" not in client.get(HANDSET).content.decode()


def test_a_message_is_text_and_no_markup(client):
    inbox.deliver("+447700900123", "<b>bold</b>")

    assert b"&lt;b&gt;bold&lt;/b&gt;" in client.get(HANDSET).content


def test_a_number_that_was_only_typed_shows_nobodys_messages(client):
    inbox.deliver("+447700900124", "a message to somebody else")

    page = client.post(HANDSET, {"number": "+447700900124", "network": "6g"})

    assert b"a message to somebody else" not in page.content


def test_without_a_sim_no_message_comes_in(client):
    set_handset(client, number="")

    assert "Without a SIM none can come in." in client.get(HANDSET).content.decode()


def test_of_messages_at_once_none_is_lost():
    start = Barrier(10)

    def deliver(n):
        start.wait()
        inbox.deliver("+447700900123", str(n))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(deliver, range(10)))

    texts = {message.text for message in inbox.received("+447700900123")}
    assert texts == {str(n) for n in range(10)}
