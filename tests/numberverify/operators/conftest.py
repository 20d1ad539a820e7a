import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from numberverify.msisdn import Msisdn
from numberverify.operators.base import (
    Answer,
    Callback,
    OperatorSettings,
    OperatorToken,
    Question,
)
from numberverify.operators.registry import line_to, lines
from numberverify.operators.tables import read_tables
from tests.fake_operator import FakeOperator

BACK = "https://shop.example/verify/callback/fake/"
STATE = "a-state"
NONCE = "a-nonce-of-ours"
VERIFIER = "a-code-verifier-of-ours-that-is-long-enough-to-be-one"


@pytest.fixture
def fake() -> Iterator[FakeOperator]:
    fake = FakeOperator()
    yield fake
    fake.close()


@pytest.fixture
def read(fake: FakeOperator) -> Callable[..., OperatorSettings]:
    """Read the operator's table, with changes (None takes a key away)."""
    return lambda **changes: read_tables({"fake": fake.table(**changes)})["fake"]


@pytest.fixture
def ask(fake: FakeOperator, read) -> Iterator[Callable[..., Answer]]:
    """Send a device to the operator, then ask with what it brings back.

    `brought` is laid over what the device brings, or is an operator token; the rest
    changes the table.
    """
    used = {}

    def ask(number="+447700900123", brought=None, **changes) -> Answer:
        settings = read(**changes)
        line = used[settings] = line_to(settings)
        question = Question(Msisdn(number), BACK, NONCE, VERIFIER, correlator="c-1")
        if isinstance(brought, OperatorToken):
            return line.ask(brought, question)
        line.prepare()
        url = line.operator.authorization_url(question, state=STATE)
        back = {k: v for k, v in fake.authorize(url).items() if k != "state"}
        return line.ask(Callback(**back | (brought or {})), question)

    yield ask
    for line in used.values():
        line.threads.shutdown(wait=False, cancel_futures=True)
        line.operator.http.session.close()
    lines.clear()  # the next operator may get the same port


@pytest.fixture
def certificate(tmp_path: Path) -> str:
    """The path of a key and its certificate for 127.0.0.1, signed by itself."""
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    return written_certificate(tmp_path, "operator", address)


def written_certificate(
    folder: Path, common_name: str, *extensions: x509.ExtensionType
) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return str(path)


def over_tls(fake: FakeOperator, certificate: str) -> None:
    """Let the operator speak TLS; whoever trusts the certificate reaches it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
    fake.base_url = fake.base_url.replace("http:", "https:")
