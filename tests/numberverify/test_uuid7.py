import time
import uuid

import pytest

from numberverify.uuid7 import first_at, uuid7


def milliseconds(value: uuid.UUID) -> int:
    return value.int >> 80


def test_version_and_variant_are_those_of_rfc_9562():
    for _ in range(100):
        value = uuid7()

        assert value.version == 7
        assert value.variant == uuid.RFC_4122
        assert str(value)[14] == "7"
        assert str(value)[19] in "89ab"


def test_it_holds_the_time_in_milliseconds():
    before = time.time_ns() // 1_000_000
    value = uuid7()
    after = time.time_ns() // 1_000_000

    assert before - 1 <= milliseconds(value) <= after + 1


@pytest.mark.parametrize(
    ("at", "expected"),
    [(0.0, 0), (1, 1000), (1_800_000_000.25, 1_800_000_000_250), (4e9, 4 * 10**12)],
)
def test_it_takes_a_time_so_that_history_can_be_built(at, expected):
    assert milliseconds(uuid7(at)) == expected


def test_later_ones_sort_behind_as_values_and_as_text():
    made = [uuid7(1_800_000_000 + n / 100) for n in range(300)]

    assert made == sorted(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)


def test_all_other_bits_are_random():
    ones = zeros = 0
    for _ in range(200):
        value = uuid7(0).int
        ones |= value
        zeros |= ~value

    random = ones & zeros & ((1 << 128) - 1)
    assert random == (0xFFF << 64) | ((1 << 62) - 1)
    assert len({uuid7(0) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("at", [0.0, 1_800_000_000.25, 1_800_000_000.9999])
def test_the_first_of_a_time_lies_between_its_keys_and_those_before(at):
    bound = first_at(at)

    before = uuid7(max(0, at - 0.001))
    assert before < bound or not at
    assert bound < uuid7(at)
    assert str(bound) < str(uuid7(at))
