"""TLS, as every operator has it: a certificate, and a list of authorities that vouches
for it beside all that a machine has, since that is what a client reads."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256


def write(folder: Path) -> tuple[Path, Path]:
    """Return the file of a key with its certificate for 127.0.0.1, and the list."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "operator")])
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=30))
        .add_extension(address, critical=False)
        .sign(key, SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain, authorities = folder / "tls.pem", folder / "authorities.pem"
    chain.write_bytes(private + certificate)
    authorities.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + certificate)
    return chain, authorities
