"""The cluster's own certificates: made once, renewed in time, never readable to others."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from services.engine.kafka.security import SecurityRefused
from services.engine.kafka.security.authority import (
    AUTHORITY_LASTS,
    NODE_LASTS,
    RENEWED_BEFORE,
    keep_node_certificate,
    kept_authority,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOSTS = ["127.0.0.1", "localhost"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_authority_is_made_once(tmp_path: Path) -> None:
    made = kept_authority(tmp_path, NOW)
    again = kept_authority(tmp_path, NOW + timedelta(days=100))
    assert again.certificate == made.certificate
    assert mode(tmp_path / "ca.key") == 0o600
    assert "PRIVATE" not in (tmp_path / "ca.pem").read_text()
    assert "key" not in repr(made)


def test_an_authority_signs_nodes_and_no_other_authority(tmp_path: Path) -> None:
    constraints = kept_authority(tmp_path, NOW).certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.value.path_length, constraints.critical) == (True, 0, True)


@pytest.mark.parametrize("lost", ["ca.pem", "ca.key"])
def test_half_an_authority_is_refused_and_not_replaced(tmp_path: Path, lost: str) -> None:
    kept_authority(tmp_path, NOW)
    (tmp_path / lost).unlink()
    with pytest.raises(SecurityRefused, match="only one is there"):
        kept_authority(tmp_path, NOW)
    assert not (tmp_path / lost).exists()


def test_a_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    kept_authority(tmp_path, NOW)
    kept_authority(other, NOW)
    (tmp_path / "ca.key").write_bytes((other / "ca.key").read_bytes())
    with pytest.raises(SecurityRefused, match="does not belong to"):
        kept_authority(tmp_path, NOW)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    kept_authority(tmp_path, NOW)
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SecurityRefused, match="is damaged"):
        kept_authority(tmp_path, NOW)


def test_a_node_is_known_by_its_names_and_is_no_authority(tmp_path: Path) -> None:
    authority, node = kept_authority(tmp_path, NOW), tmp_path / "node.pem"
    assert keep_node_certificate(node, authority, HOSTS, NOW)
    certificate = x509.load_pem_x509_certificate(node.read_bytes())
    certificate.verify_directly_issued_by(authority.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == HOSTS
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.subject.rfc4514_string() == "CN=node"
    assert mode(node) == 0o600


@pytest.mark.parametrize(
    ("later", "hosts", "anew"),
    [
        (timedelta(0), HOSTS, False),
        (NODE_LASTS - RENEWED_BEFORE - timedelta(days=1), HOSTS, False),
        (NODE_LASTS - RENEWED_BEFORE, HOSTS, True),
        (timedelta(0), [*HOSTS, "kafka.example.org"], True),
    ],
)
def test_a_certificate_is_renewed_before_it_ends_and_for_other_names(
    tmp_path: Path, later: timedelta, hosts: list[str], anew: bool
) -> None:
    authority, node = kept_authority(tmp_path, NOW), tmp_path / "node.pem"
    keep_node_certificate(node, authority, HOSTS, NOW)
    assert keep_node_certificate(node, authority, hosts, NOW + later) is anew


def test_a_certificate_of_another_authority_or_none_is_made_anew(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    authority, node = kept_authority(tmp_path, NOW), tmp_path / "node.pem"
    keep_node_certificate(node, kept_authority(other, NOW), HOSTS, NOW)
    assert keep_node_certificate(node, authority, HOSTS, NOW)
    node.write_text("nothing")
    assert keep_node_certificate(node, authority, HOSTS, NOW)


def test_no_node_outlives_its_authority_by_default() -> None:
    assert NODE_LASTS < AUTHORITY_LASTS
