"""A certificate authority of the cluster's own, and the certificates of its nodes.

It signs nodes only. Brokers believe whoever it signed to be one of them, so its key is worth the whole cluster: keep it
off the machines that run brokers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.engine.kafka.security.credentials import SecurityRefused
from services.engine.kafka.security.principals import NODE
from services.engine.kafka.security.private_files import write_private

AUTHORITY_LASTS = timedelta(days=3650)
"""How long a new authority signs; after that every client needs another `ca.pem`."""
NODE_LASTS = timedelta(days=730)
"""How long a node's certificate is believed."""
RENEWED_BEFORE = timedelta(days=365)
"""A certificate with less than this left is made anew when its node is next prepared."""
CLOCKS_DIFFER_BY = timedelta(hours=1)
"""A certificate begins so long ago: a client whose clock is behind must not refuse a new one."""
CERTIFICATE = "ca.pem"
KEY = "ca.key"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that is believed, and the key that signs in its name."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def kept_authority(directory: Path, now: datetime, name: str = "ccr kafka authority") -> Authority:
    """The authority of a directory; made the first time, with a name to tell it by.

    Raises `SecurityRefused` on damaged files, and `OSError`.
    """
    certificate, key = directory / CERTIFICATE, directory / KEY
    if certificate.exists() != key.exists():
        raise SecurityRefused(
            f"of {certificate} and {key} only one is there: put the other back, or move it away to make both anew"
        )
    if not certificate.exists():
        made = _new_authority(now, name)
        write_private(key, _key_pem(made.key))
        write_private(certificate, made.certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return made
    try:
        found = serialization.load_pem_private_key(key.read_bytes(), None)
        held = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ValueError, TypeError) as damaged:
        raise SecurityRefused(f"{certificate} or {key} is damaged: put the right one back") from damaged
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.public_key() != held.public_key():
        raise SecurityRefused(f"{key} does not belong to {certificate}: put the right one back")
    return Authority(held, found)


def keep_node_certificate(path: Path, authority: Authority, hosts: Sequence[str], now: datetime) -> bool:
    """See to it that a file holds a node's key and certificate for these names and addresses, valid for long enough.

    Key, certificate and authority in one PEM file, as Kafka takes a key store. True when it was made anew. Raises
    `OSError`.
    """
    if _still_good(path, authority, hosts, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _certificate(NODE, authority.certificate.subject, key.public_key(), now, NODE_LASTS)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    chain = [each.public_bytes(serialization.Encoding.PEM) for each in (certificate, authority.certificate)]
    write_private(path, _key_pem(key) + b"".join(chain))
    return True


def _new_authority(now: datetime, name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _certificate(name, subject, key.public_key(), now, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def _certificate(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER_BY)
        .not_valid_after(now + lasts)
    )


def _still_good(path: Path, authority: Authority, hosts: Sequence[str], now: datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(authority.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):  # it is made anew
        return False
    return set(names) == {_name(host) for host in hosts} and certificate.not_valid_after_utc - now > RENEWED_BEFORE


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
