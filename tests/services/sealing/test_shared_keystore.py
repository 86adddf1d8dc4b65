"""The key store that workers share: the laws of every key store, and what one worker does, the others respect."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ccr_events.codes.backbone import KeyRing
from services.sealing import shared_keystore
from services.sealing.key_tables import DATA_KEYS, _tables, is_new
from services.sealing.keys import KeyStoreError, KeyUnavailable, WrongMasterKey
from services.sealing.master_key import MasterKey
from services.sealing.shared_keystore import SharedKeyStore, open_shared_keys

MASTER = MasterKey(bytes(range(32)))
NONCE = bytes(12)


@pytest.fixture
def workers(address: str) -> Iterator[tuple[SharedKeyStore, SharedKeyStore]]:
    """Two that share one key store."""
    with ExitStack() as open_until_the_end:
        yield (
            open_until_the_end.enter_context(closing(open_shared_keys(address, MASTER))),
            open_until_the_end.enter_context(closing(open_shared_keys(address, MASTER))),
        )


Workers = tuple[SharedKeyStore, SharedKeyStore]


@contextmanager
def raw(address: str) -> Iterator[Connection]:
    """The tables by hand."""
    tables = _tables(address)
    with tables.writing.connect() as connection:
        yield connection
    tables.dispose()


def stored(address: str) -> list[tuple[str, str, str, bytes | None]]:
    with raw(address) as connection:
        return [tuple(row) for row in connection.execute(DATA_KEYS.select())]


def test_what_one_worker_seals_another_opens_once_it_is_flushed(workers: Workers, address: str) -> None:
    one, other = workers
    sealed = one.key("case-1", "VID").encrypt(NONCE, b"words", None)
    assert stored(address) == []
    with pytest.raises(KeyUnavailable):
        other.existing("case-1", "VID")
    one.flush()
    assert other.existing("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"
    assert other.key("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"
    assert len(stored(address)) == 1


def test_key_is_the_same_after_a_restart(address: str) -> None:
    with closing(open_shared_keys(address, MASTER)) as keys:
        sealed = keys.key("case-1", "VID").encrypt(NONCE, b"words", None)
    with closing(open_shared_keys(address, MASTER)) as again:
        assert again.existing("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"


def test_of_two_workers_that_make_the_same_key_only_one_does(workers: Workers, address: str) -> None:
    one, other = workers
    sealed = one.key("case-1", "VID").encrypt(NONCE, b"words", None)
    other.key("case-1", "VID")
    one.flush()
    with pytest.raises(KeyStoreError, match="another worker"):
        other.flush()
    assert other.key("case-1", "VID").decrypt(NONCE, sealed, None) == b"words"
    other.flush()
    assert len(stored(address)) == 1


def test_a_flush_whose_answer_was_lost_can_be_done_again(workers: Workers, address: str) -> None:
    one, _ = workers
    one.key("case-1", "VID")
    new = dict(one._unflushed)
    one.flush()
    one._unflushed = new
    one.flush()
    assert len(stored(address)) == 1


def test_more_keys_than_one_statement_stores(workers: Workers, address: str) -> None:
    one, other = workers
    for number in range(shared_keystore.AT_ONCE + 1):
        one.key(f"case-{number}", "VID")
    one.flush()
    assert len(stored(address)) == shared_keystore.AT_ONCE + 1
    other.existing(f"case-{shared_keystore.AT_ONCE}", "VID")


def test_wrong_master_key_is_told_at_once(address: str) -> None:
    assert is_new(address)
    open_shared_keys(address, MASTER).close()
    assert not is_new(address)
    with pytest.raises(WrongMasterKey, match="not the one"):
        open_shared_keys(address, MasterKey(bytes(32)))


def test_a_destroyed_key_is_respected_by_every_worker(
    workers: Workers, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_keystore, "TRUSTED_S", 0.0)
    one, other = workers
    for case in ("case-1", "case-2"):
        one.key(case, "VID")
    one.flush()
    other.key("case-1", "VID")
    other.flush()
    one.move("case-1", KeyRing.SEALED_COURT)
    assert other.ring("case-1", "VID") is KeyRing.SEALED_COURT
    other.existing("case-1", "VID")
    one.move("case-1", KeyRing.DESTROYED)
    for worker in workers:
        assert worker.ring("case-1", "VID") is KeyRing.DESTROYED
        for use in (worker.existing, worker.key):
            with pytest.raises(KeyUnavailable, match="destroyed"):
                use("case-1", "VID")
    other.move("case-1", KeyRing.OPEN)
    assert one.ring("case-1", "VID") is KeyRing.DESTROYED
    other.existing("case-2", "VID")
    assert [wrapped for case, _, _, wrapped in stored(address) if case == "case-1"] == [None]


def test_sealing_never_trusts_its_memory_across_commits(workers: Workers) -> None:
    """However lately it was looked at: what is sealed with a destroyed key would be lost without a word."""
    one, other = workers
    one.key("case-1", "VID")
    one.flush()
    other.move("case-1", KeyRing.DESTROYED)
    with pytest.raises(KeyUnavailable, match="destroyed"):
        one.key("case-1", "VID")


def test_a_destroyed_key_is_in_no_file(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'keys.sqlite'}"
    with closing(open_shared_keys(address, MASTER)) as keys:
        keys.key("case-1", "VID")
        keys.flush()
        wrapped = stored(address)[0][3]
        assert wrapped is not None
        keys.move("case-1", KeyRing.DESTROYED)
        assert all(wrapped not in path.read_bytes() for path in tmp_path.iterdir())
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_wrapped_key_moved_to_another_case_does_not_open(address: str) -> None:
    with closing(open_shared_keys(address, MASTER)) as keys:
        keys.key("case-1", "VID")
    with raw(address) as connection:
        connection.execute(text("UPDATE data_keys SET case_id = 'case-2'"))
        connection.commit()
    with closing(open_shared_keys(address, MASTER)) as keys, pytest.raises(KeyStoreError, match="was altered"):
        keys.existing("case-2", "VID")


def test_a_database_that_refuses_is_told_without_a_key(address: str) -> None:
    with closing(open_shared_keys(address, MASTER)) as keys:
        keys.key("case-1", "VID")
        with raw(address) as connection:
            connection.execute(text("ALTER TABLE data_keys RENAME TO data_keys_gone"))
            connection.commit()
            with pytest.raises(KeyStoreError, match="refused"):
                keys.flush()
            connection.execute(text("ALTER TABLE data_keys_gone RENAME TO data_keys"))
            connection.commit()
        keys.key("case-1", "VID")
        keys.flush()
    assert len(stored(address)) == 1


def test_room_that_could_not_be_cleared_is_told(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = workers
    one.key("case-1", "VID")
    dialect = one._tables.writing.dialect.name
    statement = "VACUUM no_such_table" if dialect == "postgresql" else "PRAGMA no such pragma"
    monkeypatch.setitem(shared_keystore.CLEARING, dialect, statement)
    with caplog.at_level(logging.ERROR):
        one.move("case-1", KeyRing.DESTROYED)
    assert statement in caplog.text
    assert one.ring("case-1", "VID") is KeyRing.DESTROYED


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("not an address", "cannot be read"),
        ("mysql://user:secret@host/keys", "no database for the key store"),
        ("sqlite://", "in memory"),
        ("sqlite:////no/such/folder/keys", "name a file"),
        ("postgresql://user:secret@127.0.0.1:1/keys", "cannot be opened"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(address: str, said: str) -> None:
    with pytest.raises(KeyStoreError, match=said) as refused:
        open_shared_keys(address, MASTER)
    assert "secret" not in str(refused.value)
