"""Step-up on a site that has other accounts than ours."""

import pytest

from tests.fake_operator import FakeOperator
from tests.servers import RUNSERVER, Server

from .conftest import SMALL
from .phone import Phone

pytestmark = pytest.mark.browser
MAKE_ANN = (
    "from django.contrib.auth.models import User;"
    "User.objects.create_superuser('ann', password='x', first_name='+447700900123')"
)


@pytest.fixture
def operator():
    fake = FakeOperator()
    yield fake
    fake.close()


@pytest.fixture
def phone(chromium, operator, tmp_path):
    plain = Server(
        RUNSERVER,
        tmp_path,
        DJANGO_SETTINGS_MODULE="tests.sites.plain.settings",
        PLAIN_DATABASE=str(tmp_path / "db.sqlite3"),
        PLAIN_OPERATOR=operator.base_url,
    )
    plain.manage("shell", "-v0", "-c", MAKE_ANN)
    own = Phone(chromium.new_context(viewport=SMALL), plain.url)
    yield own
    own.context.close()
    plain.close()


def test_a_guarded_page_opens_by_the_network(phone):
    phone.open("/safe/")
    phone.fill(username="ann", password="x")
    phone.press("Log in")

    phone.sees("Confirm it's you to open the safe")
    phone.press("Check my number")
    phone.fill(combination="1234")
    phone.press("Open")

    assert "the safe is open" in phone.page.content()
