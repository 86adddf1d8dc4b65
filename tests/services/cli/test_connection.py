"""Which backbone, with whose key: a local key never leaves for another address."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ccr_events.agencies import Agency
from services.cli.connection import connect, speaker
from services.cli.local import (
    LOCAL_KEYS,
    SERVER,
    Server,
    forget_server,
    read_local_keys,
    read_server,
    write_local_keys,
    write_server,
)
from services.cli.main import run
from services.cli.refused import Refused

HERE = "http://127.0.0.1:8701"
ELSEWHERE = "http://127.0.0.1:8799"
KEYS = {"adv": "ccr_0000000000000001_adv", "ccr": "ccr_0000000000000002_ccr"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_server(tmp_path, Server(HERE, os.getpid()))
    write_local_keys(tmp_path, KEYS)
    return tmp_path


def key_sent(client: object) -> str | None:
    return client.http.headers.get("authorization")  # type: ignore[attr-defined]


def test_the_data_directory_says_where_and_with_which_key(data: Path) -> None:
    with connect(data, agency="adv") as client:
        assert client.url == HERE
        assert key_sent(client) == f"Bearer {KEYS['adv']}"


def test_a_local_key_is_not_sent_to_another_address(data: Path) -> None:
    with pytest.raises(Refused, match="which key is for"):
        connect(data, url=ELSEWHERE)


def test_the_same_address_given_by_hand_may_use_the_local_key(data: Path) -> None:
    with connect(data, url=f"{HERE}/", agency="adv") as client:
        assert key_sent(client) == f"Bearer {KEYS['adv']}"


def test_what_is_given_goes_before_what_is_found(data: Path) -> None:
    with connect(data, url=ELSEWHERE, key="ccr_given") as client:
        assert (client.url, key_sent(client)) == (ELSEWHERE, "Bearer ccr_given")


def test_what_anybody_may_ask_is_asked_without_a_key(data: Path) -> None:
    with connect(data, keyless=True) as client:
        assert key_sent(client) is None


def test_no_service_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"ccr up --data .* ccr worker portal --local-keys .* --url and --key"):
        connect(tmp_path / "nothing here")


def test_a_key_given_beside_the_agency_to_speak_for_is_refused() -> None:
    assert speaker(Agency.ADV, None) == "adv"
    assert speaker(None, "ccr_given") == "ccr"
    with pytest.raises(Refused, match="--as adv and a key"):
        speaker(Agency.ADV, "ccr_given")


@pytest.mark.parametrize(
    "command",
    [
        ["links"],
        ["link", "12345678"],
        ["ack", "12345678"],
        ["complete", "12345678"],
        ["waive", "12345678", "--reason", "duplicate"],
        ["case", "26-0101"],
        ["open", "12345678", "--label", "VLOC", "--purpose", "safety"],
        ["watch"],
        ["publish", "EVENTS"],
        ["quarantine", "list"],
        ["quarantine", "show", "12345678"],
        ["quarantine", "open", "12345678"],
        ["quarantine", "redrive", "12345678"],
        ["quarantine", "discard", "12345678"],
    ],
)
def test_nobody_speaks_in_the_name_of_another_key(
    command: list[str], data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CCR_KEY", "ccr_of_the_jail")
    (data / "events.json").write_text("{}")
    given = [str(data / "events.json") if word == "EVENTS" else word for word in command]
    assert run([*given, "--as", "adv", "--data", str(data)]) == 1
    told = capsys.readouterr().err
    assert "--as adv and a key (CCR_KEY or --key) are both given" in told
    assert "of_the_jail" not in told


def test_an_agency_without_a_local_key_is_named(data: Path) -> None:
    with pytest.raises(Refused, match="ccr keys issue --agency jail"):
        connect(data, agency="jail")


def test_speaking_in_clear_to_another_machine_is_warned_of(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connect(data, url="http://backbone.invalid", key="ccr_given").close()
    assert "without TLS" in capsys.readouterr().err
    connect(data, url="https://backbone.invalid", key="ccr_given").close()
    assert capsys.readouterr().err == ""


def test_local_files_are_for_their_owner_only(data: Path) -> None:
    for name in (SERVER, LOCAL_KEYS):
        assert (data / name).stat().st_mode & 0o077 == 0


def test_keys_that_others_may_read_are_refused(data: Path) -> None:
    (data / LOCAL_KEYS).chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        read_local_keys(data)


def test_a_service_that_stopped_is_forgotten(data: Path) -> None:
    forget_server(data)
    forget_server(data)
    assert read_server(data) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"url": 1, "pid": 2}', b'{"url": "x"}'])
def test_a_damaged_file_is_told_with_what_to_do(data: Path, content: bytes) -> None:
    (data / SERVER).write_bytes(content)
    with pytest.raises(Refused, match="delete it and start ccr up again"):
        read_server(data)


def test_damaged_keys_are_told_and_not_repeated(data: Path) -> None:
    (data / LOCAL_KEYS).write_bytes(b'{"adv": ["secret"]}')
    with pytest.raises(Refused, match="delete it") as refused:
        read_local_keys(data)
    assert "secret" not in str(refused.value)
