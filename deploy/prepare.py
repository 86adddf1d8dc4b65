"""Everything secret that docker-compose.yml needs, made on this machine: no password is ever in the file itself.

    .venv/bin/python deploy/prepare.py --host kafka.example.org

Certificates, passwords and settings are written to deploy/secrets. Run again, it keeps what is there, makes what is
missing, and renews certificates before they end. The folder is for its owner only. What is mounted into containers is
readable inside it, because a container's user has another number than you.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ccr_events.key_file import write_new_key
from services.engine.kafka.broker.layout import new_cluster_id
from services.engine.kafka.broker.properties import CLIENTS, CONTROLLER, PEERS, node_settings, secure_settings, written
from services.engine.kafka.broker.secured import scram_arguments
from services.engine.kafka.security.authority import Authority, keep_node_certificate, kept_authority
from services.engine.kafka.security.credentials import MECHANISM
from services.engine.kafka.security.principals import CONSOLE, USERS
from services.engine.kafka.security.private_files import kept_password, private_directory, write_private

SECRETS = Path(__file__).parent / "secrets"
NODES = ("kafka1", "kafka2", "kafka3")
"""Kafka's containers, which are named so to each other."""
CLIENT_PORT, PEER_PORT, CONTROLLER_PORT = 9092, 9093, 9094
"""Ports of every node inside: for services, for brokers among themselves, for controllers."""
OUTSIDE = "OUTSIDE"
OUTSIDE_PORTS = {"kafka1": 19092, "kafka2": 29092, "kafka3": 39092}
"""Where adapters of agencies reach each node, on the machine that runs the containers."""
DATABASES = ("store", "keys")
"""PostgreSQL's containers: of everything, and of the keys, whose backups are kept apart."""
MOUNTED = 0o444
"""Of a file that a container reads; nobody else comes through the folder."""
MOUNT = "/run/secrets"
"""Where containers find these files."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the files; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--host", default="localhost", help="name by which adapters of agencies reach this machine's Kafka"
    )
    parser.add_argument("--directory", type=Path, default=SECRETS, help="where to write (default: deploy/secrets)")
    given = parser.parse_args(arguments)
    prepare(given.directory, given.host, datetime.now(UTC))
    sys.stdout.write(
        f"{given.directory} is complete. Keep a copy of master.key elsewhere: without it nothing sealed can be opened. "
        "Move the files *-authority/ca.key to a safe place too; they are needed only to make certificates.\n"
    )
    return 0


def prepare(directory: Path, host: str, now: datetime) -> None:
    """Make what is missing in a folder. Raises `SecurityRefused` on damaged files, and `OSError`."""
    private_directory(directory)
    _kafka(directory, host, now)
    _databases(directory, now)
    kept_password(directory / "grafana.password", MOUNTED)
    if not (directory / "master.key").exists():
        write_new_key(directory / "master.key")
    (directory / "master.key").chmod(MOUNTED)


def _kafka(directory: Path, host: str, now: datetime) -> None:
    authority = _authority(directory, "kafka", now)
    passwords = {user: kept_password(directory / f"{user}.password", MOUNTED) for user in USERS}
    write_private(directory / "users.args", scram_arguments(passwords.items()).encode(), MOUNTED)
    cluster_id = directory / "cluster-id"
    if not cluster_id.exists():
        write_private(cluster_id, new_cluster_id().encode(), MOUNTED)
    for number, name in enumerate(NODES, 1):
        keep_node_certificate(directory / f"{name}.pem", authority, [name, host, "localhost", "127.0.0.1"], now)
        (directory / f"{name}.pem").chmod(MOUNTED)
        write_private(directory / f"{name}.properties", node_properties(number, host).encode(), MOUNTED)
    web = kept_password(directory / "console-web.password")
    write_private(directory / "console.yml", console_settings(passwords[CONSOLE], web).encode(), MOUNTED)


def _databases(directory: Path, now: datetime) -> None:
    # Not Kafka's authority: brokers would believe a database to be one of them.
    authority = _authority(directory, "database", now)
    lines = []
    for name in DATABASES:
        keep_node_certificate(directory / f"{name}.pem", authority, [name, "localhost"], now)
        (directory / f"{name}.pem").chmod(MOUNTED)
        password = kept_password(directory / f"{name}.password", MOUNTED)
        lines.append(f"{name}:5432:ccr:ccr:{password}\n")
    write_private(directory / "pgpass", "".join(lines).encode(), MOUNTED)
    # For whoever reads and writes the store and has no business with the keys.
    write_private(directory / "store.pgpass", lines[DATABASES.index("store")].encode(), MOUNTED)


def _authority(directory: Path, of: str, now: datetime) -> Authority:
    own = directory / f"{of}-authority"
    private_directory(own)
    made = kept_authority(own, now, f"ccr {of} authority")
    write_private(directory / f"{of}-ca.pem", (own / "ca.pem").read_bytes(), MOUNTED)
    return made


def node_properties(number: int, host: str) -> str:
    """Kafka's settings of one node; they hold no secret."""
    name = NODES[number - 1]
    advertised = {
        CLIENTS: f"{name}:{CLIENT_PORT}",
        PEERS: f"{name}:{PEER_PORT}",
        OUTSIDE: f"{host}:{OUTSIDE_PORTS[name]}",
    }
    listening = {
        CLIENTS: CLIENT_PORT,
        PEERS: PEER_PORT,
        OUTSIDE: OUTSIDE_PORTS[name],
        CONTROLLER: CONTROLLER_PORT,
    }
    voters = [f"{each}@{node}:{CONTROLLER_PORT}" for each, node in enumerate(NODES, 1)]
    return written(
        {
            **node_settings(number, voters),
            **secure_settings(f"{MOUNT}/{name}.pem", f"{MOUNT}/kafka-ca.pem", [CLIENTS, OUTSIDE]),
            "listeners": ",".join(f"{each}://:{port}" for each, port in listening.items()),
            "advertised.listeners": ",".join(f"{each}://{address}" for each, address in advertised.items()),
            "log.dirs": "/var/lib/kafka/data",
        }
    )


def console_settings(password: str, web_password: str) -> str:
    """The console's settings: it looks as a user that may read no record, and asks whoever opens it for a password."""
    bootstrap = ",".join(f"{name}:{CLIENT_PORT}" for name in NODES)
    login = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{CONSOLE}"'
    return f"""\
auth:
  type: LOGIN_FORM
spring:
  security:
    user:
      name: operator
      password: {web_password}
kafka:
  clusters:
    - name: ccr
      bootstrapServers: {bootstrap}
      readOnly: true
      properties:
        security.protocol: SASL_SSL
        sasl.mechanism: {MECHANISM}
        sasl.jaas.config: '{login} password="{password}";'
        ssl.truststore.type: PEM
        ssl.truststore.location: {MOUNT}/kafka-ca.pem
"""


if __name__ == "__main__":
    sys.exit(main())
