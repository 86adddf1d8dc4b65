"""docker-compose.yml, as far as it can be checked without Docker: valid, pinned, and one with the code."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from deploy.prepare import CLIENT_PORT, DATABASES, NODES, OUTSIDE_PORTS, prepare
from services.cli.main import application
from services.cli.worker_alerts import DEFAULT_PORT as ALERTS_PORT
from services.cli.worker_intake import DEFAULT_PORT as INTAKE_PORT
from services.cli.worker_portal import DEFAULT_PORT as PORTAL_PORT
from services.engine.kafka.broker import KAFKA_VERSION
from services.engine.kafka.security.principals import ADMIN, OPERATOR, SERVICES
from tests.deploy.composed import FILE, OURS, ROOT, composed, mounted, ours, services, yaml_of

ONCE = {"acls", "topics"}
"""Services that do something and end."""
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def parsed(arguments: list[str]) -> tuple[str, dict[str, Any]]:
    """A command line as `ccr` understands it, without running it: the command's name, and its parameters."""
    name, command, rest, parent = "ccr", get_command(application(arguments[0])), arguments, None
    while True:
        parent = command.make_context(name, list(rest), parent=parent)
        if not isinstance(command, TyperGroup):
            return name, parent.params
        found, below, rest = command.resolve_command(parent, [*parent._protected_args, *parent.args])
        assert below is not None, arguments
        name, command = f"{name} {found}", below


def test_it_is_valid_by_the_compose_specification() -> None:
    schema = orjson.loads((Path(__file__).parent / "compose-spec" / "compose-spec.json").read_bytes())
    validator = jsonschema.Draft7Validator({**schema, "$schema": "http://json-schema.org/draft-07/schema#"})
    assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(composed())] == []
    wrong = {**composed(), "services": {"kafka1": {"imagge": "apache/kafka:4.1.2"}}}
    assert list(validator.iter_errors(wrong)), "the schema refuses what is wrong"


def test_every_image_is_pinned() -> None:
    for name, service in services().items():
        image, tag = service["image"].rsplit(":", 1)
        assert re.fullmatch(r"v?\d+(\.\d+)+(-[a-z]+)?", tag), (name, image, tag)


def test_kafka_is_the_one_we_are_tested_with_and_the_image_is_of_this_release() -> None:
    assert {services()[node]["image"] for node in NODES} == {f"apache/kafka:{KAFKA_VERSION}"}
    release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {service["image"] for service in ours().values()} == {f"{OURS}:{release}"}


@pytest.mark.parametrize("name", sorted(ours()))
def test_every_command_is_one_that_ccr_has(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = ours()[name]
    for variable, value in service["environment"].items():
        monkeypatch.setenv(variable, value)
    command, given = parsed(service["command"])
    assert command in {"ccr worker " + name, f"ccr kafka {name} apply"}
    assert given["bootstrap"] == ",".join(f"{node}:{CLIENT_PORT}" for node in NODES)
    known = {parameter for parameter, value in given.items() if value is not None}
    assert {"ca_file", "user", "password_file"} <= known
    if "CCR_STORE" in service["environment"]:
        assert "sslmode=verify-full" in given["store"]
    if "CCR_KEY_STORE" in service["environment"]:
        assert "sslmode=verify-full" in given["keys"]
        assert given["master_key"] == Path("/run/ccr/master.key")
    for path in [given[option] for option in ("ca_file", "password_file", "master_key") if option in given]:
        assert path.parent == Path("/run/ccr")
        assert path.name in mounted(service)


@pytest.mark.parametrize("document", [FILE, ROOT / "deploy" / "README.md"], ids=lambda path: path.name)
def test_every_command_that_people_are_told_is_one_too(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = re.findall(r"docker compose run --rm (\w+) ([^`#\n]+?)(?:`|\s{2,}| *#|\n)", document.read_text())
    assert told
    for name, arguments in told:
        with monkeypatch.context() as inside:
            for variable, value in ours()[name]["environment"].items():
                inside.setenv(variable, value)
            _, given = parsed(arguments.split())
        if arguments.startswith("keys"):
            assert str(given["store"]) == ours()[name]["environment"]["CCR_STORE"]


def test_a_command_that_ccr_does_not_have_would_be_noticed() -> None:
    with pytest.raises(TyperException, match="--no-such-option"):
        parsed(["worker", "casebook", "--no-such-option"])
    with pytest.raises(TyperException, match="no-such-worker"):
        parsed(["worker", "no-such-worker"])


def test_every_variable_is_one_that_the_code_reads() -> None:
    options = {
        parameter.envvar
        for command in _every_command(get_command(application()))
        for parameter in command.params
        if isinstance(parameter.envvar, str)
    }
    for name, service in ours().items():
        assert set(service["environment"]) - {"PGPASSFILE"} <= options, name


def _every_command(command: Any) -> list[Any]:
    if not isinstance(command, TyperGroup):
        return [command]
    return [command, *(each for below in command.commands.values() for each in _every_command(below))]


def test_each_speaks_to_kafka_as_itself() -> None:
    users = {name: service["environment"]["CCR_KAFKA_USER"] for name, service in ours().items()}
    assert users.pop("acls") == ADMIN
    assert users.pop("topics") == OPERATOR
    assert all(name == user and user in SERVICES for name, user in users.items())
    for name, service in ours().items():
        assert mounted(service)["kafka.password"] == f"{service['environment']['CCR_KAFKA_USER']}.password", name


def test_only_those_that_seal_have_the_master_key_and_the_databases_passwords() -> None:
    for secret in ("master.key", "pgpass"):
        having = {name for name, service in services().items() if secret in mounted(service).values()}
        assert having == {"portal", "intake"}
    having = {name for name, service in services().items() if "store.pgpass" in mounted(service).values()}
    assert having == {"monitor", "alerts"}


def test_every_secret_is_made_and_no_other_is_mounted(tmp_path: Path) -> None:
    prepare(tmp_path, "kafka.example.org", NOW)
    declared = composed()["secrets"]
    for name, secret in declared.items():
        assert secret == {"file": f"deploy/secrets/{name}"}
        assert (tmp_path / name).is_file(), name
    used = {secret for service in services().values() for secret in mounted(service).values()}
    assert used == set(declared)


def test_no_password_is_in_the_file() -> None:
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASS|SECRET|TOKEN|KEY", variable) and variable not in ("CCR_KEY_STORE",):
                assert str(value).startswith("/run/"), (name, variable)
    assert not re.search(r"://[^/@\s:]+:[^@/\s]+@", FILE.read_text()), "an address with a password"


def test_ports_are_those_of_the_code() -> None:
    published = {
        name: [port.rsplit(":", 2)[-2:] for port in service.get("ports", [])] for name, service in services().items()
    }
    assert {node: published[node] for node in NODES} == {
        node: [[str(port), str(port)]] for node, port in OUTSIDE_PORTS.items()
    }
    assert published["portal"] == [[str(PORTAL_PORT), str(PORTAL_PORT)]]
    assert published["alerts"] == [[str(ALERTS_PORT), str(ALERTS_PORT)]]
    listening = _listening()
    assert listening["portal"] == PORTAL_PORT
    assert listening["alerts"] == ALERTS_PORT
    assert listening["intake"] == INTAKE_PORT
    for name, port in listening.items():
        assert f"http://127.0.0.1:{port}/readyz" in services()[name]["healthcheck"]["test"][-1]
    for node in NODES:
        assert services()[node]["healthcheck"]["test"][-1] == str(CLIENT_PORT)


def _listening() -> dict[str, int]:
    """Service of ours → the port it is told to serve its figures on, inside."""
    found = {}
    for name, service in ours().items():
        command = service["command"]
        for option in ("--port", "--web-port"):
            if option in command:
                found[name] = int(command[command.index(option) + 1])
    return found


def test_prometheus_looks_where_the_services_listen() -> None:
    jobs = yaml_of(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
    looked = {
        job["job_name"]: (found["names"], found["port"]) for job in jobs for found in job.get("dns_sd_configs", [])
    }
    assert looked == {name: ([name], port) for name, port in _listening().items()}


def test_nothing_is_open_to_others_but_kafka_when_asked() -> None:
    for name, service in services().items():
        for port in service.get("ports", []):
            host = "${CCR_LISTEN:-127.0.0.1}" if name in NODES else "127.0.0.1"
            assert port.startswith(f"{host}:"), (name, port)
    assert composed()["networks"]["inside"] == {"internal": True}
    behind = (*DATABASES, "casebook", "intake", "monitor")
    assert {name for name in behind if "outside" in services()[name]["networks"]} == set()


def test_whatever_runs_on_is_watched_bounded_and_comes_back() -> None:
    for name, service in services().items():
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory", "pids"}, name
        assert service["logging"]["options"]["max-size"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        if name in ONCE:
            assert service["restart"] == "on-failure:5"
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_our_containers_write_nothing_but_their_state() -> None:
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert [volume.split(":")[0] for volume in service.get("volumes", [])] in ([], [name])


def test_every_volume_and_mounted_file_is_there() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), (name, source)
                assert volume.endswith(":ro"), (name, source)
            else:
                assert source in composed()["volumes"], (name, source)


def test_services_start_behind_what_they_need() -> None:
    for name, service in services().items():
        for other, wait in service.get("depends_on", {}).items():
            finished = wait["condition"] == "service_completed_successfully"
            assert finished == (other in ONCE), (name, other)
    assert set(services()["acls"]["depends_on"]) == set(NODES)
    assert set(services()["topics"]["depends_on"]) == {"acls"}
