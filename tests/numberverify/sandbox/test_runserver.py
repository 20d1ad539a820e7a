"""Content types over the development server, which is how a developer meets them."""

import re

import pytest
import requests

from tests.servers import GUNICORN, RUNSERVER, Server

JSON = b'{"phoneNumber":"+447700900123"}'


@pytest.fixture(params=[RUNSERVER, GUNICORN], ids=["runserver", "gunicorn"])
def site(request, tmp_path):
    running = Server(
        request.param,
        tmp_path,
        DEBUG="1",
        DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3",
    )
    yield running
    running.close()


def tokens_of(site) -> list[str]:
    """Three tokens of a handset, got by the client that is registered with the
    sandbox: one for each question."""
    script = """
import requests
from numberverify import routing
from numberverify.msisdn import Msisdn
from numberverify.operators import oidc
from numberverify.operators.base import Deadline, Question
camara = routing.line("sandbox-camara").operator
within = Deadline.after(30)
camara.prepare(within)
site = camara.settings.issuer.removesuffix("/sandbox/camara")
back = f"{site}/verify/callback/sandbox-camara/"
question = Question(Msisdn("+447700900123"), back, "n" * 40, "v" * 60)
for _ in range(3):
    address = camara.authorization_url(question, state="s" * 40)
    while not address.startswith(back):
        answer = requests.get(address, allow_redirects=False)
        address = requests.compat.urljoin(address, answer.headers["Location"])
    code = requests.compat.urlparse(address).query.split("code=")[1].split("&")[0]
    url = camara.token_endpoint(within)
    token = oidc.exchange_code(
        camara.http, camara.settings, url, code, question, within, pkce=True
    )
    print("token:", token.access_token)
"""
    said = site.manage_and_read("shell", "--no-imports", "-c", script)
    return re.findall(r"token: (\S+)", said)


def test_a_missing_content_type_is_400_and_a_wrong_one_415(site):
    url = f"{site.url}/sandbox/camara/number-verification/v2/verify"
    found = {}
    kinds = ("", "text/plain", "application/json")
    for kind, token in zip(kinds, tokens_of(site), strict=True):
        headers = {"Authorization": f"Bearer {token}"}
        if kind:
            headers["Content-Type"] = kind
        found[kind] = requests.post(url, data=JSON, headers=headers).status_code

    assert found == {"": 400, "text/plain": 415, "application/json": 200}
