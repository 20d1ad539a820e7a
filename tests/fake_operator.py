"""A Mobile Connect operator for the tests, reached over real HTTP and told what to do.

It shares no code with the client and none with the sandbox.
"""

import hashlib
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

TOKEN = "/deviceinitiated/v1/token"
MATCH = "/premiuminfo/v1/"
JWKS = "/jwks"
AUTHORIZE = "/deviceinitiated/v1/authorize"
KEY = RSAKey.generate_key(2048, {"kid": "fake-1", "use": "sig", "alg": "RS256"})


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int  # the client's port: equal for calls over one connection

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What the fake says instead of the truth. `body` is bytes, or JSON to be."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0  # seconds between two bytes of the body
    cut: bool = False  # hang up in the middle of the body
    raw: bytes | None = None  # sent (or dripped) instead of all this, then hang up

    def bytes(self) -> bytes:
        raw = isinstance(self.body, bytes)
        return self.body if raw else json.dumps(self.body).encode()


class FakeOperator:
    """One server, one SIM. `replies` by path win over the truth; `tokens` are laid
    over the token answer's and `claims` over the ID token's (None takes one away);
    `forge` signs the ID token instead; `headers` go with every answer; `hops` are
    host names that the browser is sent over before it comes back."""

    def __init__(self) -> None:
        self.sim = "+447700900123"
        self.claims: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.replies: dict[str, Reply] = {}
        self.signing = {"key": KEY, "alg": "RS256", "kid": "fake-1"}
        self.headers: dict[str, str] = {}
        self.hops: list[str] = []
        self.calls: list[Call] = []
        self.delay = 0.0
        self.nonces: dict[str, str] = {}
        self.start()
        self.port = self.server.server_port
        self.base_url = f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.server.daemon_threads = True
        # Asked often whether to stop, so that closing takes no half a second.
        serve = self.server.serve_forever
        threading.Thread(target=serve, args=[0.02], daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def table(self, **changes: Any) -> dict[str, Any]:
        """This operator's table, as in operators.toml."""
        table = {
            "dialect": "mobile-connect",
            "label": "Fake",
            "base_url": self.base_url,
            "jwks_uri": self.base_url + JWKS,
            "client_id": "id of ours",
            "client_secret": "s3cret: 100%+",
            "countries": ["GB"],
            "deadline": 5.0,
        }
        table |= changes
        return {key: value for key, value in table.items() if value is not None}

    def authorize(self, url: str) -> dict[str, str]:
        """What a device in the network brings back from the authorization URL."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.nonces)}-{time.monotonic_ns()}"
        self.nonces[code] = asked["nonce"]
        return {"code": code, "state": asked["state"]}

    def calls_to(self, path: str) -> list[Call]:
        return [call for call in self.calls if urlsplit(call.path).path == path]

    def answer(self, call: Call) -> Reply:
        path = urlsplit(call.path).path
        time.sleep(self.delay)
        if path in self.replies:
            return self.replies[path]
        truths = self.truths()
        return truths[path](call) if path in truths else Reply(404)

    def truths(self) -> dict[str, Callable[[Call], Reply]]:
        """What it says at each of its paths, when it is not told to say else."""
        return {
            AUTHORIZE: self._authorize,
            TOKEN: self._token,
            MATCH: self._match,
            JWKS: self._jwks,
        }

    def id_token(self, access_token: str, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.base_url,
            "sub": "pcr-1",
            "aud": ["id of ours"],
            "azp": "id of ours",
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            "acr": "2",
            "amr": ["SEAM_OK"],
            "at_hash": at_hash(access_token),
        }
        claims |= self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.forge:
            return self.forge(claims)
        header = {"alg": self.signing["alg"], "kid": self.signing["kid"]}
        return jwt.encode(
            header, claims, self.signing["key"], algorithms=[self.signing["alg"]]
        )

    def _token(self, call: Call) -> Reply:
        nonce = self.nonces.get(call.form.get("code", ""))
        if nonce is None:
            return Reply(400, {"error": "invalid_grant"})
        access_token = f"token-{time.monotonic_ns()}"
        body = {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": "300",
            "id_token": self.id_token(access_token, nonce),
        }
        body |= self.tokens
        return Reply(body={name: body[name] for name in body if body[name] is not None})

    def _match(self, call: Call) -> Reply:
        claims = call.json["mc_claims"]
        hashed = hashlib.sha256(self.sim.encode()).hexdigest()
        found = self.sim in claims.values() or hashed in claims.values()
        return Reply(body={"sub": "pcr-1", "device_msisdn_verified": found})

    def _jwks(self, _call: Call) -> Reply:
        return Reply(body={"keys": [KEY.as_dict(private=False)]})

    def _authorize(self, call: Call) -> Reply:
        """Send the browser on: over each host name, then back."""
        asked = parse_qs(urlsplit(call.path).query)
        hop = int(asked.get("hop", ["0"])[0])
        if hop < len(self.hops):
            query = {name: values[0] for name, values in asked.items()}
            query["hop"] = str(hop + 1)
            there = f"http://{self.hops[hop]}:{self.port}{urlsplit(call.path).path}"
            return Reply(302, headers={"Location": f"{there}?{urlencode(query)}"})
        brought = urlencode(self.authorize(call.path))
        return Reply(302, headers={"Location": f"{asked['redirect_uri'][0]}?{brought}"})


def at_hash(access_token: str) -> str:
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return urlsafe_b64encode(half).decode().rstrip("=")


def _handler(operator: FakeOperator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an ACK

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            call = Call(
                self.command,
                self.path,
                dict(self.headers),
                self.rfile.read(length),
                self.client_address[1],
            )
            operator.calls.append(call)
            try:
                self._send(operator.answer(call))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_POST = do_GET

        def _send(self, reply: Reply) -> None:
            body = reply.bytes()
            time.sleep(reply.delay)
            if reply.raw is not None:
                self._write(reply.raw, reply.drip)
                self.close_connection = True
                return
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json"} | operator.headers
            headers |= reply.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if reply.cut:
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            else:
                self._write(body, reply.drip)

        def _write(self, sent: bytes, drip: float) -> None:
            step = 1 if drip else max(1, len(sent))
            for at in range(0, len(sent), step):
                self.wfile.write(sent[at : at + step])
                self.wfile.flush()
                time.sleep(drip)

    return Handler
