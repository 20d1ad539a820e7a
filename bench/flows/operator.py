"""An operator that answers at once, or as slowly as it is told, and counts.

    python -m bench.flows.operator PORT KEY.pem [CERTIFICATE.pem]

Real HTTP, over TLS where it has a certificate, and kept connections, in a process of
its own. There are two operators, at /one and /two. A code says who comes back
(`code_for`), so that nothing is kept.
"""

import asyncio
import base64
import hashlib
import json
import ssl
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import people

CLIENT = "bench"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def code_for(person: int, nonce: str, *, matches: bool = True) -> str:
    """Return the code with which the browser of `person` comes back."""
    said = {"n": nonce, "s": people.subject(person), "m": matches}
    return _encoded(json.dumps(said).encode())


class Operator:
    def __init__(self, key: rsa.RSAPrivateKey, address: str) -> None:
        self.key = key
        self.address = address
        self.latency = 0.0
        self.hangs = ""
        self.counts: Counter[str] = Counter()
        numbers = key.public_key().public_numbers()
        self.jwk = {
            "kty": "RSA",
            "kid": "bench",
            "use": "sig",
            "alg": "RS256",
            "n": _encoded(numbers.n.to_bytes(256, "big")),
            "e": _encoded(numbers.e.to_bytes(3, "big")),
        }

    def answer(self, target: str, headers: dict[str, str], body: bytes) -> Any:
        """Return what is answered, as JSON; None for what there is not."""
        operator, _, page = target[1:].partition("/")
        issuer = f"{self.address}/{operator}"
        page = page.removeprefix("deviceinitiated/v1/").rstrip("/")
        self.counts[page] += 1
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        match page:
            case "token":
                return self._token(parse_qs(body.decode())["code"][0], issuer)
            case "premiuminfo/v1":
                said = _decoded(bearer)
                return {"sub": said["s"], "device_msisdn_verified": said["m"]}
            case "userinfo":
                subject = _decoded(bearer)["s"]
                email = people.email(people.by_subject(subject))
                return {"sub": subject, "email": email, "email_verified": True}
            case "jwks":
                return {"keys": [self.jwk]}
            case ".well-known/openid-configuration":
                return self._description(issuer)
        return None

    def control(self, body: bytes) -> dict[str, int]:
        """Take orders from the bench, and return what was counted."""
        asked = json.loads(body or b"{}")
        self.latency = asked.get("latency", self.latency)
        self.hangs = asked.get("hangs", self.hangs)
        return dict(self.counts)

    def _token(self, code: str, issuer: str) -> dict[str, Any]:
        said = _decoded(code)
        access_token = _encoded(json.dumps({"s": said["s"], "m": said["m"]}).encode())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": CLIENT,
            "sub": said["s"],
            "nonce": said["n"],
            "iat": now,
            "exp": now + 300,
            "at_hash": _encoded(half),
            "email": people.email(people.by_subject(said["s"])),
        }
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._signed(claims),
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": "bench", "typ": "JWT"}
        parts = [_encoded(json.dumps(each).encode()) for each in (header, claims)]
        signed = ".".join(parts)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def _description(self, issuer: str) -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }


class Connection(asyncio.Protocol):
    """One kept connection; a request comes after the answer to the one before."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport
        self.operator.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.got += data
        head, found, rest = self.got.partition(b"\r\n\r\n")
        if not found:
            return
        request, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.got = rest[length:]
        self._answer(request.split(" ")[1].partition("?")[0], headers, rest[:length])

    def _answer(self, target: str, headers: dict[str, str], body: bytes) -> None:
        operator = self.operator
        if target == "/control":
            operator.counts["connections"] -= 1  # the bench's own
            self._send(operator.control(body))
            return
        said = operator.answer(target, headers, body)
        if operator.hangs and target.startswith(f"/{operator.hangs}/"):
            return
        if operator.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(operator.latency, self._send, said)
        else:
            self._send(said)

    def _send(self, said: Any) -> None:
        body = json.dumps(said).encode()
        status = "200 OK" if said is not None else "404 Not Found"
        self.transport.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "==="))
    return found


async def _serve(port: int, file: str, certificate: str = "") -> None:
    key = serialization.load_pem_private_key(Path(file).read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    scheme = "https" if context else "http"
    operator = Operator(key, f"{scheme}://127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(operator), "127.0.0.1", port, backlog=1024, ssl=context
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), *sys.argv[2:]))
