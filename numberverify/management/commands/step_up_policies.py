from typing import Any

from django.core.management.base import BaseCommand

from numberverify import conf
from numberverify.choices import Method, Purpose
from numberverify.policy import Action

COLUMNS = ("action", "to ...", "at most", "serves", "methods")


class Command(BaseCommand):
    help = "Print what each purpose and each step-up action accepts, for an auditor."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Purposes\n")
        self._table(
            [
                ("purpose", "methods"),
                *(
                    (str(each), _named(conf.accepts(each)))
                    for each in Purpose
                    if each != Purpose.STEP_UP
                ),
            ]
        )
        self.stdout.write("\nStep-up actions\n")
        actions = sorted(conf.actions().values(), key=lambda action: action.name)
        self._table([COLUMNS, *(_row(action) for action in actions)])
        marked = [action.name for action in actions if action.sim_swap]
        if marked:
            words = "\nAsked about a SIM swap first, where an operator tells: "
            self.stdout.write(words + ", ".join(marked) + ".")
        self.stdout.write(
            "\nonce: redeemed in the transaction of the effect. "
            "age: redeemed into the session, good until then."
        )

    def _table(self, rows: list[tuple[str, ...]]) -> None:
        widths = [
            max(len(cell) for cell in column) for column in zip(*rows, strict=True)
        ]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  " + "  ".join(cells).rstrip())


def _row(action: Action) -> tuple[str, ...]:
    age = f"{action.max_age.total_seconds():.0f} s"
    methods = _named(action.methods)
    return (action.name, str(action.label), age, action.serves, methods)


def _named(methods: frozenset[Method]) -> str:
    return ", ".join(method for method in Method if method in methods)
