"""The operators package runs in a plain interpreter: no Django, no model, no site."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_camara import FakeCamara
from tests.fake_operator import FakeOperator

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import json, sys
from urllib.parse import parse_qs, urlsplit

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "environ", "config", "accounts"}:
            raise ImportError(f"{name} is refused")

sys.meta_path.insert(0, Refuse())

import requests
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Callback, OperatorToken, Question
from numberverify.operators.registry import line_to
from numberverify.operators.tables import read_tables

table = json.load(sys.stdin)
line = line_to(read_tables({"fake": table})["fake"])
question = Question(
    Msisdn("+447700900123"), "https://shop.example/back", "a nonce", "a verifier"
)
line.prepare()
url = line.operator.authorization_url(question, state="a state")
back = requests.get(url, allow_redirects=False).headers["Location"]
query = parse_qs(urlsplit(back).query)
callback = Callback(query["code"][0], iss=query.get("iss", [""])[0])
print(line.ask(callback, question).matched)
if line.settings.dialect == "camara":
    print(line.ask(OperatorToken("an-operator-token"), question).matched)
"""


@pytest.fixture(params=[FakeOperator, FakeCamara])
def fake(request):
    fake = request.param()
    yield fake
    fake.close()


def test_a_number_is_verified_without_django(fake):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(fake.table()),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )

    answers = 2 if isinstance(fake, FakeCamara) else 1
    assert ran.stdout.split() == ["True"] * answers, ran.stderr
