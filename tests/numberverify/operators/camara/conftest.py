"""The operator of the tests around speaks CAMARA in here."""

from collections.abc import Iterator

import pytest

from numberverify.operators.base import Deadline
from numberverify.operators.camara import Camara
from numberverify.operators.tables import read_tables
from tests.fake_camara import FakeCamara


@pytest.fixture
def fake() -> Iterator[FakeCamara]:
    fake = FakeCamara()
    yield fake
    fake.close()


@pytest.fixture
def camara(fake: FakeCamara) -> Iterator[Camara]:
    """The operator with its neighbours, asked without a line's threads."""
    camara = Camara(read_tables({"fake": fake.with_siblings()})["fake"])
    yield camara
    camara.http.session.close()


@pytest.fixture
def within() -> Deadline:
    return Deadline.after(5)
