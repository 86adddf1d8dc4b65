"""The key store: durable before the log, useless without its master key, final when a key is destroyed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ccr_events.codes.backbone import KeyRing
from services.sealing import wrapping
from services.sealing.keys import KeyStoreError, KeyUnavailable, WrongMasterKey
from services.sealing.keystore import KeyStore
from services.sealing.master_key import MasterKey

MASTER = MasterKey(bytes(range(32)))
NONCE = bytes(12)


def test_key_is_the_same_again_and_after_a_restart(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    sealed = store.key("case-1", "VID").encrypt(NONCE, b"words", None)
    assert store.key("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"
    store.flush()
    store.close()
    again = KeyStore(tmp_path / "keys.db", MASTER)
    assert again.existing("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"
    again.close()


def test_key_is_on_disk_after_flush_and_not_before(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    store.key("case-1", "VID")

    def stored() -> int:
        other = sqlite3.connect(tmp_path / "keys.db")
        try:
            return int(other.execute("SELECT count(*) FROM data_keys").fetchone()[0])
        finally:
            other.close()

    assert stored() == 0
    store.flush()
    assert stored() == 1
    store.close()


def test_every_case_and_label_has_a_key_of_its_own(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    sealed = {
        store.key(case, label).encrypt(NONCE, b"words", None)
        for case in ("case-1", "case-2")
        for label in ("VID", "CJI")
    }
    assert len(sealed) == 4
    store.close()


def test_wrong_master_key_is_told_at_once(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys.db", MASTER).close()
    with pytest.raises(WrongMasterKey, match="not the one"):
        KeyStore(tmp_path / "keys.db", MasterKey(bytes(32)))


def test_file_that_is_no_key_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(KeyStoreError, match="cannot be opened"):
        KeyStore(tmp_path / "keys.db", MASTER)


def test_wrapped_key_moved_to_another_case_does_not_open(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    store.key("case-1", "VID")
    store.close()
    raw = sqlite3.connect(tmp_path / "keys.db")
    raw.execute("UPDATE data_keys SET case_id = 'case-2'")
    raw.commit()
    raw.close()
    moved = KeyStore(tmp_path / "keys.db", MASTER)
    with pytest.raises(KeyStoreError, match="was altered"):
        moved.existing("case-2", "VID")
    moved.close()


def test_unknown_key_is_not_made_by_reading(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    with pytest.raises(KeyUnavailable):
        store.existing("case-1", "VID")
    assert store.ring("case-1", "VID") is None
    store.close()


def test_sealed_ring_keeps_the_key_and_destruction_ends_it_for_good(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db", MASTER)
    store.key("case-1", "VID")
    store.key("case-2", "VID")
    assert store.ring("case-1", "VID") is KeyRing.OPEN
    store.flush()
    wrapped = _wrapped(tmp_path / "keys.db", "case-1")
    store.move("case-1", KeyRing.SEALED_COURT)
    assert store.ring("case-1", "VID") is KeyRing.SEALED_COURT
    store.existing("case-1", "VID")
    store.move("case-1", KeyRing.DESTROYED)
    assert store.ring("case-1", "VID") is KeyRing.DESTROYED
    for use in (store.existing, store.key):
        with pytest.raises(KeyUnavailable, match="destroyed"):
            use("case-1", "VID")
    store.move("case-1", KeyRing.OPEN)
    assert store.ring("case-1", "VID") is KeyRing.DESTROYED
    store.existing("case-2", "VID")
    store.close()
    assert all(wrapped not in path.read_bytes() for path in tmp_path.iterdir())


def test_cache_of_unwrapped_keys_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapping, "MAX_CACHED_KEYS", 2)
    store = KeyStore(tmp_path / "keys.db", MASTER)
    sealed = [store.key(f"case-{n}", "VID").encrypt(NONCE, b"words", None) for n in range(5)]
    assert len(store._cache) == 2
    for n, token in enumerate(sealed):
        assert store.existing(f"case-{n}", "VID").decrypt(NONCE, token, None) == b"words"
    store.close()


def _wrapped(path: Path, case_id: str) -> bytes:
    raw = sqlite3.connect(path)
    try:
        return bytes(raw.execute("SELECT wrapped FROM data_keys WHERE case_id = ?", (case_id,)).fetchone()[0])
    finally:
        raw.close()
