"""What makes a cluster of ours secure: its authority, its nodes' certificates, and its users' passwords, in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.engine.kafka.broker.errors import BrokerError
from services.engine.kafka.broker.layout import HOST, Cluster, Node
from services.engine.kafka.security.authority import CERTIFICATE, keep_node_certificate, kept_authority
from services.engine.kafka.security.credentials import MECHANISM, Security, read_security
from services.engine.kafka.security.principals import ADMIN, USERS
from services.engine.kafka.security.private_files import kept_password, private_directory, write_private

NODE_HOSTS = (HOST, "localhost")
"""By which names and addresses a node of ours is reached."""


def security_of(cluster: Cluster, user: str = ADMIN) -> Security | None:
    """How a user reaches a cluster of ours; None when it is not secure. Raises `BrokerError` for an unknown user."""
    if not cluster.secure:
        return None
    path = password_file(cluster, user)
    if not path.exists():
        raise BrokerError(f"{cluster.directory} has no user {user}; it has {', '.join(sorted(USERS))}")
    return read_security(cluster.secrets / CERTIFICATE, user, path, environ={})


def password_file(cluster: Cluster, user: str) -> Path:
    """Where a user's password lies, for its owner only."""
    return cluster.secrets / f"{user}.password"


def keep_secrets(cluster: Cluster) -> None:
    """Make what is missing of a secure cluster's keys, certificates and passwords; an old certificate is renewed.

    Raises `SecurityRefused` on damaged files, and `OSError`.
    """
    private_directory(cluster.secrets)
    now = datetime.now(UTC)
    authority = kept_authority(cluster.secrets, now)
    for node in cluster.nodes:
        keep_node_certificate(cluster.certificate(node), authority, NODE_HOSTS, now)
    for user in USERS:
        kept_password(password_file(cluster, user))


@contextmanager
def users_to_format(cluster: Cluster, node: Node) -> Iterator[list[str]]:
    """Arguments by which Kafka's format tool makes the users; they name a file, because all can see arguments."""
    if not cluster.secure:
        yield []
        return
    path = cluster.secrets / f"format-{node.id}.args"
    passwords = ((user, kept_password(password_file(cluster, user))) for user in USERS)
    write_private(path, scram_arguments(passwords).encode())
    try:
        yield [f"@{path}"]
    finally:
        path.unlink()


def scram_arguments(passwords: Iterable[tuple[str, str]]) -> str:
    """Arguments of Kafka's format tool, one a line, that make these users."""
    return "".join(f"--add-scram\n{MECHANISM}=[name={user},password={word}]\n" for user, word in passwords)
