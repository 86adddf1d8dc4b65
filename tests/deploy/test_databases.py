"""PostgreSQL as docker-compose.yml runs it, on a real server: by TLS with a password, and in no other way."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import text

from deploy.prepare import prepare
from services.engine.sql.database import Purpose, open_engine, parsed
from tests.deploy.composed import ROOT, ours
from tests.support.postgresql import programs

START = ROOT / "deploy" / "postgresql" / "start.sh"
HBA = ROOT / "deploy" / "postgresql" / "pg_hba.conf"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("databases") / "secrets"
    prepare(directory, "localhost", datetime.now(UTC))
    return directory


@pytest.fixture(scope="module")
def port(secrets: Path) -> Iterator[int]:
    """A server with the options of `start.sh`, on files of its own."""
    bin_ = programs()
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with TemporaryDirectory(prefix="ccr-pg-") as temporary, socket.socket() as chosen:
        home = Path(temporary)
        shutil.copy(secrets / "store.pem", home / "database.pem")
        shutil.copy(HBA, home / "pg_hba.conf")
        (home / "database.pem").chmod(0o600)
        if as_owner:
            for path in (home, *home.iterdir()):
                shutil.chown(path, "postgres")
        chosen.bind(("127.0.0.1", 0))
        number = chosen.getsockname()[1]
        chosen.close()
        data = home / "data"
        quietly = {"check": True, "cwd": home, "stdout": subprocess.DEVNULL}
        subprocess.run([*as_owner, bin_ / "initdb", "-D", data, "-U", "ccr", "-N", "--locale=C.UTF-8"], **quietly)
        control = [*as_owner, bin_ / "pg_ctl", "-D", data, "-w"]
        options = [*_options(home), "-k", str(home), "-p", str(number), "-c", "listen_addresses=localhost"]
        subprocess.run([*control, "-o", shlex.join(options), "-l", home / "log", "start"], **quietly)
        try:
            with psycopg.connect(host=str(home), port=number, user="ccr", dbname="postgres", autocommit=True) as admin:
                admin.execute("CREATE DATABASE ccr")
                password = (secrets / "store.password").read_text().strip()
                admin.execute(psycopg.sql.SQL("ALTER ROLE ccr PASSWORD {}").format(psycopg.sql.Literal(password)))
            yield number
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quietly)


def _options(home: Path) -> list[str]:
    """What `start.sh` tells the server, with our paths."""
    told = re.findall(r"-c (\S+=\S+)", START.read_text())
    assert "ssl=on" in told
    placed = [each.replace("/run/tls", str(home)).replace("/etc/ccr", str(home)) for each in told]
    return [word for each in placed for word in ("-c", each)]


def address(secrets: Path, port: int) -> str:
    """The address in docker-compose.yml, as it is here."""
    (found,) = {s["environment"]["CCR_STORE"] for s in ours().values() if "CCR_STORE" in s["environment"]}
    return found.replace("store:5432", f"localhost:{port}").replace("/run/ccr", str(secrets))


def test_a_service_comes_in_as_composed(
    secrets: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text((secrets / "pgpass").read_text().replace("store:5432", f"localhost:{port}"))
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    purpose = Purpose("a test", RuntimeError)
    engine = open_engine(parsed(address(secrets, port), purpose), purpose)
    try:
        with engine.connect() as connection:
            version, user = connection.execute(
                text("SELECT version, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            ).one()
        assert (version, user) == ("TLSv1.3", "ccr")
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"password": "obviously-wrong"}, "password authentication failed"),
        ({"sslmode": "disable"}, "no pg_hba.conf entry"),
        ({"sslrootcert": "kafka-ca.pem"}, "certificate verify failed"),
        ({"dbname": "postgres"}, "no pg_hba.conf entry"),
        ({"host": "127.0.0.1"}, "does not match host name"),
    ],
)
def test_in_no_other_way(secrets: Path, port: int, given: dict[str, str], reason: str) -> None:
    settings = {
        "host": "localhost",
        "port": str(port),
        "user": "ccr",
        "dbname": "ccr",
        "password": (secrets / "store.password").read_text().strip(),
        "sslmode": "verify-full",
        "sslrootcert": "database-ca.pem",
        **given,
    }
    settings["sslrootcert"] = str(secrets / settings["sslrootcert"])
    with pytest.raises(psycopg.OperationalError, match=reason):
        psycopg.connect(**settings)
