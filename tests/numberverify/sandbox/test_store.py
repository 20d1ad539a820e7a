import time_machine
from django.core.cache import cache

from numberverify.sandbox.store import Shelf, Turns, WatchedShelf


def test_a_thing_is_taken_once():
    shelf = Shelf[str]("test", 60)
    name = shelf.put("a thing")

    assert shelf.take(name) == "a thing"
    assert shelf.take(name) is None


def test_who_reads_a_thing_but_deletes_it_too_late_gets_nothing(monkeypatch):
    shelf = Shelf[str]("test", 60)
    name = shelf.put("a thing")
    read = cache.get

    def read_and_be_overtaken(key):
        thing = read(key)
        monkeypatch.undo()
        assert shelf.take(name) == "a thing"
        return thing

    monkeypatch.setattr("numberverify.sandbox.store.cache.get", read_and_be_overtaken)

    assert shelf.take(name) is None


def test_shelves_do_not_share_names():
    name = Shelf[str]("one", 60).put("a thing")

    assert Shelf[str]("other", 60).take(name) is None


def test_a_thing_is_gone_when_its_time_is_over():
    shelf = Shelf[str]("test", 60)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        name = shelf.put("a thing")
        clock.shift(61)

        assert shelf.take(name) is None


def test_a_name_is_not_legible_in_the_cache():
    shelf = Shelf[str]("test", 60)

    name = shelf.put("a thing")

    assert name not in shelf.key(name)
    assert shelf.key(name).startswith("sandbox:")


def test_only_a_name_that_came_twice_is_told_of():
    shelf = WatchedShelf[str]("test", 60, memory=300)
    name = shelf.put("a thing")

    shelf.take(name)
    assert not shelf.came_twice(name)
    shelf.take(name)
    assert shelf.came_twice(name)


def test_a_made_up_name_leaves_nothing_behind():
    shelf = WatchedShelf[str]("test", 60, memory=300)

    shelf.take("made up")
    shelf.take("made up")

    assert not shelf.came_twice("made up")


def test_a_thing_under_a_known_name_is_looked_at_and_replaced():
    shelf = Shelf[str]("test", 60)

    assert shelf.look("a name") is None
    shelf.keep("a name", "first")
    shelf.keep("a name", "second")

    assert shelf.look("a name") == "second"
    assert shelf.take("a name") == "second"


def test_turns_are_counted_until_all_are_taken():
    turns = Turns("test", 3, 60)

    assert not turns.all_taken("a name")
    assert [turns.take("a name") for _ in range(5)] == [1, 2, 3, 0, 0]
    assert turns.all_taken("a name")
    assert turns.take("another name") == 1


def test_each_turn_is_free_again_after_its_own_time():
    turns = Turns("test", 2, 60)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        turns.take("a name")
        clock.shift(40)
        turns.take("a name")
        clock.shift(21)

        assert [turns.take("a name") for _ in range(2)] == [1, 0]
