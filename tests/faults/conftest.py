"""The site as it is in production, its database, its cache and its operators: each a
process of its own that a test may kill."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_operator import MATCH, FakeOperator, Reply
from tests.faults import machines
from tests.faults.driver import Ledger, Person, Site
from tests.faults.machines import Cluster, Redis

HERE = Path(__file__).parent
TRUE = Reply(body={"sub": "pcr-1", "device_msisdn_verified": True})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = machines.missing()
    if not missing:
        return
    for item in items:
        if HERE in item.path.parents:
            if os.environ.get("NO_SKIPS"):
                pytest.exit(f"{' and '.join(missing)} missing and skips are forbidden")
            item.add_marker(pytest.mark.skip(reason=f"no {' and no '.join(missing)}"))


@pytest.fixture(scope="session")
def database() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def cache() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.close()


@pytest.fixture(scope="session")
def operators() -> Iterator[dict[str, FakeOperator]]:
    """One for British numbers and one for French ones."""
    found = {"fake": FakeOperator(), "other": FakeOperator()}
    yield found
    for fake in found.values():
        fake.close()


@pytest.fixture(scope="session")
def _site(tmp_path_factory, database, cache, operators) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), database, cache, operators)
    yield running
    running.close()


@pytest.fixture
def operator(operators) -> FakeOperator:
    """Says that every number is the right one, until it is told otherwise."""
    for fake in operators.values():
        fake.calls.clear()
        fake.replies = {MATCH: TRUE}
    return operators["fake"]


@pytest.fixture
def site(_site, operator, database) -> Iterator[Site]:
    """With everybody's breakers closed. Afterwards no secret is in its log, and what
    the driver, the operators and the history say is one."""
    yield _site
    _site.cache.thaw()
    _site.wait()
    Ledger(_site).check()
    log = _site.log.read_text()
    assert [secret for secret in _site.secrets if secret in log] == []
    assert not re.search(r"Bearer|Basic |eyJ|token-[0-9]|Key \(", log)


@pytest.fixture
def person(site) -> Callable[..., Person]:
    """Somebody new, with a number and a browser of their own."""

    def person(operator: str = "fake") -> Person:
        return Person(site, operator, secrets.token_hex(6))

    return person
