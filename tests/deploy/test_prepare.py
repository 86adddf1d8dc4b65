"""What `deploy/prepare.py` makes: complete, for its owner only, kept when run again, and taken by Kafka itself."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from ruamel.yaml import YAML

from deploy.prepare import CLIENT_PORT, MOUNT, NODES, OUTSIDE_PORTS, main, node_properties, prepare
from services.engine.kafka.broker.jars import class_path, java
from services.engine.kafka.security import read_security
from services.engine.kafka.security.principals import USERS
from services.sealing.master_key import load_master_key
from tests.deploy.composed import ROOT
from tests.support.kafka import need_kafka

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOST = "kafka.example.org"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("deploy") / "secrets"
    prepare(directory, HOST, NOW)
    return directory


def properties(number: int) -> dict[str, str]:
    return dict(line.split("=", 1) for line in node_properties(number, HOST).splitlines())


def test_run_again_it_keeps_everything(made: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in made.rglob("*") if path.is_file()}

    before = contents()
    prepare(made, HOST, NOW)
    assert contents() == before


def test_the_folder_is_for_its_owner_only_and_so_are_the_authorities_keys(made: Path) -> None:
    for folder in (made, made / "kafka-authority", made / "database-authority"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for key in ("kafka-authority/ca.key", "database-authority/ca.key", "console-web.password"):
        assert stat.S_IMODE((made / key).stat().st_mode) == 0o600


def test_passwords_are_many_and_long(made: Path) -> None:
    words = [path.read_text().strip() for path in made.glob("*.password")]
    assert len(set(words)) == len(words) > len(USERS)
    assert min(map(len, words)) >= 43


def test_every_user_can_be_a_client(made: Path) -> None:
    for user in USERS:
        assert read_security(made / "kafka-ca.pem", user, made / f"{user}.password", {}) is not None


def test_the_users_are_told_to_kafka(made: Path) -> None:
    told = re.findall(r"name=([a-z-]+),password=(\S+)\]", (made / "users.args").read_text())
    assert dict(told) == {user: (made / f"{user}.password").read_text().strip() for user in USERS}


def test_a_node_is_known_by_the_name_it_is_reached_by(made: Path) -> None:
    for name in NODES:
        certificate = x509.load_pem_x509_certificate((made / f"{name}.pem").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {name, HOST} <= {str(each.value) for each in names}


def test_a_database_is_no_node_of_kafka(made: Path) -> None:
    kafka = x509.load_pem_x509_certificate((made / "kafka-ca.pem").read_bytes())
    for name in ("store", "keys"):
        certificate = x509.load_pem_x509_certificate((made / f"{name}.pem").read_bytes())
        with pytest.raises(ValueError, match="Issuer"):
            certificate.verify_directly_issued_by(kafka)


def test_the_master_key_is_one(made: Path, tmp_path: Path) -> None:
    own = tmp_path / "master.key"
    own.write_bytes((made / "master.key").read_bytes())
    own.chmod(0o600)
    assert load_master_key(own, environ={})


def test_settings_of_a_node_hold_no_secret_and_name_mounted_files(made: Path) -> None:
    words = [path.read_text().strip() for path in made.glob("*.password")]
    for number, name in enumerate(NODES, 1):
        text = (made / f"{name}.properties").read_text()
        assert not any(word in text for word in words)
        assert properties(number)["ssl.keystore.location"] == f"{MOUNT}/{name}.pem"
        assert properties(number)["ssl.truststore.location"] == f"{MOUNT}/kafka-ca.pem"


def test_adapters_outside_are_told_an_address_they_can_reach() -> None:
    for number, name in enumerate(NODES, 1):
        advertised = properties(number)["advertised.listeners"]
        assert f"OUTSIDE://{HOST}:{OUTSIDE_PORTS[name]}" in advertised
        assert f"CLIENTS://{name}:{CLIENT_PORT}" in advertised
        assert "CONTROLLER" not in advertised
        assert "PLAINTEXT" not in node_properties(number, HOST)


def test_the_console_may_only_look_and_asks_who_looks(made: Path) -> None:
    found = YAML(typ="safe").load(made / "console.yml")
    assert found["auth"]["type"] == "LOGIN_FORM"
    assert found["spring"]["security"]["user"]["password"] == (made / "console-web.password").read_text().strip()
    (cluster,) = found["kafka"]["clusters"]
    assert cluster["readOnly"] is True
    assert 'username="console"' in cluster["properties"]["sasl.jaas.config"]
    assert cluster["properties"]["security.protocol"] == "SASL_SSL"


def test_run_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--directory", str(tmp_path / "secrets"), "--host", HOST]) == 0
    told = capsys.readouterr().out
    assert "Keep a copy of master.key elsewhere" in told
    assert not any(path.read_text().strip() in told for path in (tmp_path / "secrets").glob("*.password"))
    helped = subprocess.run([sys.executable, ROOT / "deploy" / "prepare.py", "--help"], capture_output=True, check=True)
    assert b"--host" in helped.stdout


@pytest.mark.kafka
async def test_kafka_takes_the_settings_and_the_users(made: Path, tmp_path: Path) -> None:
    need_kafka()
    text = node_properties(2, HOST).replace("/var/lib/kafka/data", str(tmp_path / "data")).replace(MOUNT, str(made))
    (tmp_path / "node.properties").write_text(text)
    cluster_id = (made / "cluster-id").read_text()
    started = await asyncio.create_subprocess_exec(
        str(java()),
        "-Xmx128m",
        "-cp",
        class_path(),
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "--cluster-id",
        cluster_id,
        "--config",
        str(tmp_path / "node.properties"),
        f"@{made / 'users.args'}",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    )
    said, _ = await started.communicate()
    assert started.returncode == 0, said.decode()
    meta = (tmp_path / "data" / "meta.properties").read_text()
    assert f"cluster.id={cluster_id}" in meta
    assert "node.id=2" in meta
