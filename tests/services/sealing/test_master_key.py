"""The master key: where it comes from, what is refused, what it never shows."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import pytest

from services.sealing.master_key import ENVIRONMENT, MasterKey, MasterKeyError, load_master_key

SECRET = bytes(range(100, 132))
TEXT = b64encode(SECRET).decode()


def test_key_from_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(b64encode(bytes(32)).decode())
    path.chmod(0o600)
    assert load_master_key(path, environ={ENVIRONMENT: TEXT}).secret == SECRET
    assert load_master_key(path, environ={}).secret == bytes(32)


def test_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(TEXT)
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        load_master_key(path, environ={})


@pytest.mark.parametrize("text", ["", "not base64 !", b64encode(bytes(31)).decode(), TEXT + TEXT])
def test_malformed_key_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyError) as refused:
        load_master_key(tmp_path / "absent", environ={ENVIRONMENT: text})
    assert "exactly 32 bytes" in str(refused.value)
    assert not text or text not in str(refused.value)


def test_missing_key_is_not_invented_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "data" / "master.key"
    with pytest.raises(MasterKeyError, match="there is no master key"):
        load_master_key(path, environ={})
    assert not path.exists()
    made = load_master_key(path, create=True, environ={})
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_master_key(path, create=True, environ={}) == made


def test_a_key_whose_writing_was_cut_short_is_no_key_and_the_next_start_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "master.key"
    with monkeypatch.context() as cut:
        cut.setattr("ccr_events.key_file.b64encode", _killed)
        with pytest.raises(KeyboardInterrupt):
            load_master_key(path, create=True, environ={})
    assert not path.exists()
    made = load_master_key(path, create=True, environ={})
    assert load_master_key(path, environ={}) == made


def test_a_key_that_another_process_made_meanwhile_is_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "master.key"
    link = os.link

    def too_late(unfinished: Path, final: Path) -> None:
        with monkeypatch.context() as other:
            other.setattr(os, "link", link)
            made.append(load_master_key(final, create=True, environ={}))
        link(unfinished, final)

    made: list[MasterKey] = []
    monkeypatch.setattr(os, "link", too_late)
    assert load_master_key(path, create=True, environ={}) == made[0]
    assert [found.name for found in tmp_path.iterdir()] == ["master.key"]


def _killed(_: bytes) -> bytes:
    raise KeyboardInterrupt


def test_neither_repr_nor_text_shows_the_key() -> None:
    key = MasterKey(SECRET)
    for shown in (repr(key), str(key)):
        assert str(SECRET) not in shown
        assert TEXT not in shown


def test_subkeys_differ_by_purpose_and_are_not_the_key() -> None:
    key = MasterKey(SECRET)
    assert len({key.subkey("a"), key.subkey("b"), SECRET}) == 3
    assert key.subkey("a") == MasterKey(SECRET).subkey("a")
