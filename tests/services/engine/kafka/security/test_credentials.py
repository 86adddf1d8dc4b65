"""A connection is secure as a whole or refused, and no password is told."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.engine.kafka.security import (
    Security,
    SecurityRefused,
    aiokafka_settings,
    faust_credentials,
    librdkafka_settings,
    read_security,
)
from services.engine.kafka.security.credentials import CA_FILE, PASSWORD, PASSWORD_FILE, USER

WORD = "obviously-fake-password"


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "ca.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def security(ca_file: Path) -> Security:
    return Security(ca_file, "intake", WORD)


def test_nothing_given_is_plain_text() -> None:
    assert read_security(environ={}) is None
    assert aiokafka_settings(None) == librdkafka_settings(None) == {}
    assert faust_credentials(None) is None


def test_given_by_options(ca_file: Path, tmp_path: Path) -> None:
    (tmp_path / "word").write_text(WORD + "\n")
    assert read_security(ca_file, "intake", tmp_path / "word", {}) == Security(ca_file, "intake", WORD)


@pytest.mark.parametrize("name", [PASSWORD, PASSWORD_FILE])
def test_given_by_the_environment(ca_file: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "word").write_text(WORD)
    given = {PASSWORD: WORD, PASSWORD_FILE: str(tmp_path / "word")}[name]
    found = read_security(environ={CA_FILE: str(ca_file), USER: "intake", name: given})
    assert found == Security(ca_file, "intake", WORD)


def test_an_option_goes_before_the_environment(ca_file: Path) -> None:
    environ = {CA_FILE: str(ca_file), USER: "intake", PASSWORD: WORD}
    found = read_security(user="monitor", environ=environ)
    assert found is not None
    assert found.user == "monitor"


@pytest.mark.parametrize("missing", [CA_FILE, USER, PASSWORD])
def test_half_a_security_is_refused_and_never_plain_text(ca_file: Path, missing: str) -> None:
    environ = {CA_FILE: str(ca_file), USER: "intake", PASSWORD: WORD}
    del environ[missing]
    with pytest.raises(SecurityRefused, match=missing) as refused:
        read_security(environ=environ)
    assert WORD not in str(refused.value)


def test_two_passwords_are_refused(ca_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SecurityRefused, match="twice"):
        read_security(ca_file, "intake", tmp_path / "word", {PASSWORD: WORD})


@pytest.mark.parametrize("password", ["", "two\nlines", "x" * 257])
def test_a_password_that_cannot_be_one_is_refused_and_not_told(ca_file: Path, password: str) -> None:
    with pytest.raises(SecurityRefused) as refused:
        Security(ca_file, "intake", password)
    assert not password or password not in str(refused.value)


def test_a_password_file_that_is_no_text_is_refused_and_not_told(ca_file: Path, tmp_path: Path) -> None:
    (tmp_path / "word").write_bytes(b"\xff\xfesecret")
    with pytest.raises(SecurityRefused, match="is not text") as refused:
        read_security(ca_file, "intake", tmp_path / "word", {})
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_password_file_that_is_not_there_is_named(ca_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SecurityRefused, match=r"word cannot be read: No such file"):
        read_security(ca_file, "intake", tmp_path / "word", {})


def test_a_user_is_a_plain_name(ca_file: Path) -> None:
    with pytest.raises(SecurityRefused, match="letters, digits"):
        Security(ca_file, 'x" required', WORD)


def test_an_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SecurityRefused, match="is not a certificate"):
        Security(tmp_path / "ca.pem", "intake", WORD).tls()
    with pytest.raises(SecurityRefused, match=r"none\.pem cannot be read"):
        Security(tmp_path / "none.pem", "intake", WORD).tls()


def test_no_password_in_any_description(security: Security) -> None:
    assert WORD not in repr(security)
    assert WORD not in str(security)
    assert WORD not in repr(faust_credentials(security))


def test_every_client_checks_the_brokers_certificate_and_name(security: Security) -> None:
    ours, faust = aiokafka_settings(security), faust_credentials(security)
    assert faust is not None
    for context in (ours["ssl_context"], faust.ssl_context):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert len(context.get_ca_certs()) == 1
    assert librdkafka_settings(security)["ssl.endpoint.identification.algorithm"] == "https"


def test_every_client_proves_its_password_without_sending_it(security: Security) -> None:
    faust = faust_credentials(security)
    assert faust is not None
    assert aiokafka_settings(security)["sasl_mechanism"] == "SCRAM-SHA-512"
    assert faust.mechanism.value == "SCRAM-SHA-512"
    assert faust.protocol.value == aiokafka_settings(security)["security_protocol"] == "SASL_SSL"
    assert librdkafka_settings(security)["sasl.mechanism"] == "SCRAM-SHA-512"
