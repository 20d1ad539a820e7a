"""Whatever one can do here, one can do by keyboard at 200 %, and without scripts."""

from enum import StrEnum

import pytest


class Manner(StrEnum):
    BY_HAND = "by hand"
    BY_KEYBOARD = "by keyboard at 200 %"
    WITHOUT_SCRIPTS = "without scripts"


# On one journey of each kind, instead of once by hand.
for_everybody = pytest.mark.parametrize(
    "manner", [Manner.BY_KEYBOARD, Manner.WITHOUT_SCRIPTS], indirect=True, ids=str
)
