"""The counters: in this process, and in Redis for all of them."""

import re
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.core.checks import run_checks

from numberverify import rates
from numberverify.errors import ConfigurationError
from numberverify.windows import Hit, InProcess, Shared, StoreDown, Taken
from tests.conftest import REDIS_URL
from tests.servers import ROOT


@pytest.fixture(params=["in process", pytest.param("redis", marks=pytest.mark.redis)])
def store(request):
    if request.param == "in process":
        yield InProcess()
        return
    shared = Shared(REDIS_URL, f"test-{secrets.token_hex(8)}")
    yield shared
    shared.storage.reset()


@pytest.mark.redis
def test_a_real_redis_says_what_it_does_when_it_is_full():
    shared = Shared(REDIS_URL, "test")
    policy = shared.storage.get_connection().config_get("maxmemory-policy")
    (said,) = policy.values()

    assert shared.forgets() == ("" if said == "noeviction" else said)


def hits(text, key="login/of-ann", **how):
    return [Hit(window, key, **how) for window in rates.parse(text)]


def taken(store, hits, times):
    return [store.move(hits) is None for _ in range(times)]


def test_so_many_are_taken_and_no_more(store):
    assert taken(store, hits("3/15m"), 5) == [True] * 3 + [False] * 2


def test_what_has_no_room_says_how_long_it_lasts(store):
    taken(store, hits("2/15m"), 2)

    full = store.move(hits("2/15m"))

    assert full.hit.key == "login/of-ann"
    assert 890 < full.seconds <= 900


def test_of_several_the_longest_wait_is_told(store):
    both = hits("1/15m;1/d") + hits("9/400d", "other/of-ann")
    store.move(both)

    full = store.move(both)

    assert full.hit.item.get_expiry() == 24 * 60 * 60
    assert 86_000 < full.seconds <= 86_400


def test_who_is_turned_away_uses_up_nothing_else(store):
    of_address = hits("3/h", "login/of-address")
    store.move(hits("1/m"))

    assert taken(store, hits("1/m") + of_address, 9) == [False] * 9
    assert taken(store, of_address, 4) == [True, True, True, False]


def test_a_look_counts_nothing_and_needs_room(store):
    looks = hits("1/h", counts=False)

    assert taken(store, looks, 3) == [True] * 3
    store.move(hits("1/h"))
    assert taken(store, looks, 1) == [False]


def test_what_is_given_back_can_be_taken_again(store):
    taken(store, hits("2/h"), 2)

    store.move([], back=hits("2/h"))

    assert taken(store, hits("2/h"), 2) == [True, False]


def test_giving_back_what_nobody_took_makes_no_room(store):
    store.move([], back=hits("1/h"))

    assert taken(store, hits("1/h"), 2) == [True, False]


def test_what_is_cleared_begins_anew(store):
    taken(store, hits("5/h"), 5)

    store.move([], clear=hits("5/h"))

    assert taken(store, hits("5/h"), 6) == [True] * 5 + [False]


def test_giving_back_comes_before_taking_in_the_same_move(store):
    store.move(hits("1/h"))

    assert store.move(hits("1/h"), back=hits("1/h")) is None


def test_people_and_limits_are_counted_apart(store):
    store.move(hits("1/h"))

    assert store.move(hits("1/h", "login/of-ben")) is None
    assert store.move(hits("1/h", "text/of-ann")) is None


def with_spare(of, limit="3/h", spare="2/h"):
    """A limit for all, and what is left of it to one."""
    return hits(limit, "login/all") + hits(spare, f"login_spare/{of}")


def test_who_comes_new_has_a_spare_when_others_have_used_up_all(store):
    def through(of, times):
        moved = [store.move(with_spare(of)) for _ in range(times)]
        return [full is None or not full.seconds for full in moved]

    assert through("stranger", 7) == [True] * 5 + [False] * 2
    assert through("newcomer", 3) == [True] * 2 + [False]


def test_a_spare_is_not_used_up_before_the_limit_is(store):
    """Or a town behind one address would have none when it needs it."""
    for _ in range(2):
        store.move(with_spare("ann", "2/h", "1/h"))

    assert not store.move(with_spare("ann", "2/h", "1/h")).seconds
    assert store.move(with_spare("ann", "2/h", "1/h")).seconds


def test_a_limit_that_has_taken_a_spare_is_named(store):
    store.move(with_spare("ann", "1/h"))

    over = store.move(with_spare("ben", "1/h"))

    assert (over.hit.limit, over.seconds) == ("login", 0)


def test_with_a_spare_the_shorter_wait_is_told(store):
    for _ in range(2):
        store.move(with_spare("ann", "1/d", "1/h"))

    full = store.move(with_spare("ann", "1/d", "1/h"))

    assert full.hit.limit == "login"
    assert 3590 < full.seconds <= 3600


def test_a_spare_does_not_open_another_limit(store):
    both = with_spare("ann", "1/h", "9/h") + hits("2/h", "other/ann")

    said = [store.move(both) for _ in range(3)]

    assert said[0] is None
    assert not said[1].seconds
    assert (said[2].hit.limit, said[2].seconds > 0) == ("other", True)


def test_what_is_given_back_opens_a_limit_that_was_over(store):
    for _ in range(3):
        store.move(with_spare("ann", "2/h", "9/h"))

    store.move([], back=hits("2/h", "login/all") * 2)

    assert store.move(with_spare("ben", "2/h")) is None


def test_of_many_at_once_no_more_are_taken(store):
    together = threading.Barrier(16)

    def all_at_once(_):
        together.wait()
        return sum(taken(store, hits("10/h") + hits("100/h", "other"), 20))

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(all_at_once, range(16))) == 10


def test_a_window_ends_for_all_that_is_in_it():
    store = InProcess()
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        taken(store, hits("2/15m"), 2)
        clock.shift(899)
        assert store.move(hits("2/15m")).seconds == 1
        clock.shift(1)
        assert taken(store, hits("2/15m"), 3) == [True, True, False]


@pytest.mark.redis
def test_in_redis_a_window_ends_too_and_leaves_nothing_behind():
    shared = Shared(REDIS_URL, f"test-{secrets.token_hex(8)}")
    connection = shared.storage.get_connection()
    taken(shared, hits("2/15m"), 2)

    (key,) = connection.keys(f"{shared.storage.key_prefix}*")
    assert 890_000 < connection.pttl(key) <= 900_000
    connection.pexpire(key, 1)
    while connection.exists(key):
        pass
    assert taken(shared, hits("2/15m"), 3) == [True, True, False]
    shared.storage.reset()


def test_a_redis_that_is_not_there_is_down():
    with pytest.raises(StoreDown):
        Shared("redis://127.0.0.1:1").move(hits("1/h"))


def test_tries_are_handed_back_once():
    tries = Taken(hits("1/h"), hits("1/d"))

    assert tries
    assert tries.empty() == (hits("1/h"), hits("1/d"))
    assert not tries
    assert tries.empty() == ([], [])


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ("5/15m", [(5, 900)]),
        ("1/s", [(1, 1)]),
        ("10/15m;30/d", [(10, 900), (30, 86_400)]),
        (" 10/2h ; 100/400d ", [(10, 7200), (100, 34_560_000)]),
    ],
)
def test_windows_are_read_as_documented(text, windows):
    read = rates.read(f"login_account={text}")["login_account"].windows

    assert [(each.amount, each.get_expiry()) for each in read] == windows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "0/m",
        "5/0m",
        "-1/m",
        "5/m;",
        "5/w",
        "5/401d",
        "5 per m",
        "1.5/m",
        "5/M",
    ],
)
def test_a_window_that_cannot_be_read_is_named(text):
    with pytest.raises(ConfigurationError, match="login_account must be like"):
        rates.read(f"login_account={text}")


@pytest.mark.parametrize("text", ["login=5/m", "=5/m", "5/m", "LOGIN_ACCOUNT=5/m"])
def test_a_limit_that_there_is_not_is_named(text):
    with pytest.raises(ConfigurationError, match="there is no limit named"):
        rates.read(text)


def test_what_is_not_named_keeps_its_default():
    read = rates.read(" login_account=1/s , text_number=2/d,")

    changed = {name for name, rate in read.items() if rate != rates.DEFAULTS[name]}
    assert changed == {"login_account", "text_number"}
    assert read["login_account"].closed
    assert rates.read("") == rates.DEFAULTS


def test_v5_0_0_2_3_2_the_limits_are_those_that_are_documented():
    page = (ROOT / "docs/reference/settings.md").read_text()
    section = page.partition("### Limits")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(\S+)` \|$", section, re.MULTILINE)

    documented = {name: rates.parse(text) for name, text in rows}

    assert documented == {name: r.windows for name, r in rates.DEFAULTS.items()}


def test_off_is_a_word_of_its_own():
    assert rates.read(" Off ") is None


def test_a_site_of_its_own_is_checked_as_well(settings):
    settings.NV_LIMITS = "login_account=many"

    assert "numberverify.E009" in {found.id for found in run_checks()}
