"""Pages of the list: ours, Django's default list of the same rows, and ours at 10 k."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from numberverify import conf
from numberverify.models import Verification

from . import databases
from .rows import number_of
from .timing import Said, Taken, by_turns, listening

OURS = "/admin/numberverify/verification/"
PEERS = {"plain": "/plain/numberverify/plain/", "tuned": "/tuned/numberverify/plain/"}
STAFF = "auditor@bench.example"
ALL = (OURS, *PEERS.values())
MAIN = b'id="content-main"'
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class Case:
    """A page of ours and the same one of the peers, as their addresses say it.

    `typed` is searched for first, by a POST. `times` is how much faster ours has to be.
    """

    name: str
    ours: dict[str, str]
    peer: dict[str, str]
    times: int | None = None
    typed: str = ""

    @property
    def is_compared(self) -> bool:
        """Whether Django's list has such a page."""
        return bool(self.peer or self.times)


@dataclass(frozen=True, slots=True)
class Row:
    case: Case
    ours: Taken
    small: Taken
    peers: dict[str, Taken] = field(default_factory=dict)


def cases() -> list[Case]:
    """Of the database that is asked at the moment."""
    count = Verification.objects.count()
    newest = Verification.objects.order_by("-pk")
    row = newest.filter(user__isnull=False, settled_at__isnull=False)[20]
    first, last = (newest.values_list("pk", flat=True)[at] for at in (0, count - 1))
    middle = UUID(int=(first.int + last.int) // 2)  # rows come evenly over the time
    deep, offset = {"older": str(middle)}, {"p": str(count // 2 // 50)}
    number = bytes(row.number_fingerprint).hex()
    return [
        Case("first page", {}, {}, 40),
        Case("deep page, behind half of the rows", deep, offset, 40),
        *(_filter(*each) for each in FILTERS),
        Case("filter: one person", {"person": str(row.user_id)}, {}),
        Case("filter: one client address", {"address": str(row.ip)}, {}),
        Case("a number", {"fingerprint": number}, {"q": row.number_mask}, 300),
        *_searches(row),
    ]


# As an address of ours says it, and one of Django's list.
FILTERS = [
    ("outcome, frequent", "outcome=verified", "status__exact"),
    ("outcome, rare", "outcome=refused", "status__exact"),
    ("reason, frequent", "reason=not_on_mobile_network", "reason__exact"),
    ("reason, rare", "reason=subject_mismatch", "reason__exact"),
    ("purpose, frequent", "purpose=login", "purpose__exact"),
    ("purpose, rare", "purpose=password_reset", "purpose__exact"),
    ("method, frequent", "method=network", "method__exact"),
    ("method, rare", "method=manual", "method__exact"),
    ("operator, frequent", "operator=vodafone-uk", "operator"),
    ("operator, rare", "operator=tele-se", "operator"),
    ("country, frequent", "country=GB", "country"),
    ("country, rare", "country=SE", "country"),
    ("attention", "flag=yes", "attention__exact"),
    ("tests alone", "test=yes", "test__exact"),
    ("no tests", "test=no", "test__exact"),
]


def _filter(name: str, ours: str, theirs: str) -> Case:
    key, _, value = ours.partition("=")
    their_value = {"yes": "1", "no": "0"}.get(value, value)
    return Case(f"filter: {name}", {key: value}, {theirs: their_value}, 8)


def _searches(row: Verification) -> list[Case]:
    number = _number_of(bytes(row.number_fingerprint))
    email = str(row.user)
    return [
        Case("search: number", {}, {"q": row.number_mask}, 300, typed=number),
        # Django's list searches all of its columns for these: minutes, as above.
        Case("search: e-mail", {}, {}, typed=email),
        Case("search: client address", {}, {}, typed=str(row.ip)),
        Case("search: id", {}, {}, typed=str(row.pk)),
    ]


def _number_of(mark: bytes) -> str:
    """Find the number again; there are few of them."""
    numbers = (number_of(n) for n in range(10_000_000))
    return next(each.e164 for each in numbers if conf.fingerprints(each)[0] == mark)


def measure(big: str, small: str, *, rounds: int) -> Iterator[Row]:
    """Yield each page's figures, as soon as they are there."""
    clients = {alias: _signed_in(alias) for alias in {big, small}}
    with databases.on(big):
        of_big = cases()
    with databases.on(small):
        of_small = cases()
    for case, same in zip(of_big, of_small, strict=True):
        runs = {
            "ours": _run(big, clients[big], partial(_ours, case)),
            "small": _run(small, clients[small], partial(_ours, same)),
        }
        if case.is_compared:
            for name, path in PEERS.items():
                runs[name] = _run(big, clients[big], partial(_peer, path, case))
        found = by_turns(runs, rounds=rounds)
        peers = {name: found[name] for name in PEERS if name in found}
        yield Row(case, found["ours"], found["small"], peers)


def _peer(path: str, case: Case, client: Client) -> Iterator[Any]:
    yield client.get(path, case.peer)


def _ours(case: Case, client: Client) -> Iterator[Any]:
    if case.typed:
        found = client.post(OURS, {"q": case.typed})
        yield found
        yield client.get(found["Location"])
    else:
        yield client.get(OURS, case.ours)


def _run(
    alias: str, client: Client, pages: Callable[[Client], Iterator[Any]]
) -> Callable[[], Said]:
    def run() -> Said:
        asked, before, page = [], 0, None
        spent: list[float] = []  # in the database, by each request
        with databases.on(alias), listening() as said:
            for page in pages(client):  # noqa: B007
                new = said.statements[before:]
                asked.append([s for s in new if not s.startswith(TRANSACTION)])
                before = len(said.statements)
                spent.append(said.seconds - sum(spent))
        if page is None or page.status_code != 200 or MAIN not in page.content:
            raise RuntimeError(f"no page of the history: {page and page.request}")
        # Of one request; a search by id leads to no list, but to the one.
        lists = asked[:1] if page.request["PATH_INFO"] not in ALL else asked
        said.queries, said.seconds = max(map(len, lists)), max(spent)
        return said

    return run


def _signed_in(alias: str) -> Client:
    """Staff who may look, and are no superuser: with the clocks of the session on."""
    with databases.on(alias):
        people = get_user_model()._default_manager
        user, _ = people.get_or_create(email=STAFF, defaults={"is_staff": True})
        may = Permission.objects.get(codename="view_verification")
        user.user_permissions.add(may)
        client = Client(SERVER_NAME="bench.example")
        client.force_login(user)
        client.get(OURS)
    return client
