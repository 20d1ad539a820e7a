"""How many may wait for one operator at once, in this process."""

import math
import time
from threading import Condition

from ..errors import OperatorBusy

# Seconds without an answer to anybody, after which nobody joins a full queue.
SILENCE = 2.0


class Turns:
    """So many at once, and the rest wait while the operator answers at all.

    One that hangs holds `most` of the server's threads until its deadline, however many
    people come; the next are told at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self.moved_at = 0.0  # of the last answer, or when the first began to wait
        self.freed = Condition()

    def take(self, *, patience: float, pause: float = math.inf) -> bool:
        """Take one, and return True. Raise OperatorBusy when none comes free within
        `patience` seconds; return False after `pause`, whereupon one may wait on."""
        began = time.monotonic()
        with self.freed:
            if not self.taken:
                self.moved_at = began
            while self.taken >= self.most:
                now = time.monotonic()
                busy_at = min(began + patience, self.moved_at + SILENCE)
                if now >= busy_at:
                    raise OperatorBusy
                if now >= began + pause:
                    return False
                self.freed.wait(min(busy_at, began + pause) - now)
            self.taken += 1
            return True

    def give_back(self, *, answered: bool) -> None:
        with self.freed:
            self.taken -= 1
            if answered:
                self.moved_at = time.monotonic()
            self.freed.notify()
