"""Two thousand passwords for one account, from ten processes at once."""

import json
import os
import secrets
import subprocess
import sys

import pytest

from numberverify import windows
from tests.conftest import REDIS_URL
from tests.factories import PASSWORD, UserFactory
from tests.numberverify.test_guessing import database_url, total
from tests.servers import ROOT

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]
PROCESSES, GUESSES, ENOUGH = 10, 2_000, 120


@pytest.fixture
def cache():
    prefix = f"test-{secrets.token_hex(8)}-"
    backend = "django.core.cache.backends.redis.RedisCache"
    yield {"BACKEND": backend, "LOCATION": REDIS_URL, "KEY_PREFIX": prefix}
    windows.Shared(REDIS_URL, prefix + windows.PREFIX).storage.reset()


def guess(cache, addresses) -> list[dict[str, int]]:
    """The last password of each process is the right one."""
    ann = UserFactory()
    guesses = [[addresses(n), f"wrong{n}"] for n in range(GUESSES)]
    for n in range(PROCESSES):
        guesses[-1 - n][1] = PASSWORD
    orders = [
        {"email": ann.email, "cache": cache, "guesses": guesses[n::PROCESSES]}
        for n in range(PROCESSES)
    ]
    variables = {"DATABASE_URL": database_url(), "DATABASE_POOL_SIZE": "3"}
    variables["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    run = subprocess.run(
        [sys.executable, "-m", "tests.accounts.password_guesser"],
        input=json.dumps(orders),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
        timeout=ENOUGH,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("addresses", "most"),
    [
        pytest.param(lambda n: "203.0.113.66", 10, id="from one address"),
        pytest.param(
            lambda n: f"10.9.{n // 250}.{n % 250}", 30, id="each from another"
        ),
    ],
)
def test_v5_0_0_6_3_1_no_more_come_to_the_hash_than_the_limit_says(
    cache, addresses, most
):
    said = guess(cache, addresses)

    assert (total(said, "tried"), total(said, "let in")) == (GUESSES, 0)
    assert total(said, "hashed") == most
