"""A disk that refuses: said clearly, nothing acknowledged lost, and on again once the disk allows."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.engine.sqlite import SqliteEngine, database, open_engine
from services.engine.sqlite.failure import storage_failed
from services.engine.transaction import ReferenceKey, StorageFailed, Transaction
from tests.support.core_rules import fact
from tests.support.records import append_all

NOBODY = 65534


async def publish(engine: SqliteEngine, *numbers: int) -> list[int]:
    facts = [fact(n, "arrest.made", n, case_id=f"case-{n}", dv="yes") for n in numbers]
    return await engine.writer.write(lambda tx: append_all(tx, facts))


async def ids(directory: Path) -> list[str]:
    async with open_engine(directory) as engine:
        return [r.event_id for r in await engine.log.read(0, 10_000)]


def bound_pages(engine: SqliteEngine, more: int | None) -> None:
    """Let the database grow by so many pages only (None: as far as it likes)."""
    connection: sqlite3.Connection = engine.writer._group._connection
    now = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {2**31 if more is None else now + more}")


async def test_a_full_disk_refuses_the_group_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        acknowledged = len(await publish(engine, *range(1, 20)))
        bound_pages(engine, 4)
        for n in range(1, 20):
            try:
                await publish(engine, *range(100 * n, 100 * n + 20))
            except StorageFailed:
                break
            acknowledged += 20
        else:
            pytest.fail("the disk was never full")
        assert engine.writer.failure is not None
        assert "disk is full" in engine.writer.failure
        bound_pages(engine, None)
        assert await publish(engine, 9_000) == [acknowledged + 1]
        assert engine.writer.failure is None
    assert len(await ids(tmp_path)) == acknowledged + 1


async def test_a_full_disk_in_the_middle_of_a_work_fails_the_whole_group(engine: SqliteEngine) -> None:
    await publish(engine, 1)
    bound_pages(engine, 2)

    def work(tx: Transaction) -> None:
        append_all(tx, [fact(2, "arrest.made", 2, dv="yes")])
        for n in range(10_000):
            tx.cases.bind(ReferenceKey("incident_no", f"26-{n:0100}"), "case-2")

    with pytest.raises(StorageFailed, match="disk is full"):
        await engine.writer.write(work)
    bound_pages(engine, None)
    assert await publish(engine, 3) == [2]
    assert await engine.writer.read(lambda tx: tx.cases.case_of(ReferenceKey("incident_no", f"26-{0:0100}"))) is None


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """The directory as a user sees it who may read but not write (also when the tests run as root)."""
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(0o700)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory every user can reach."""
    directory = Path(tempfile.mkdtemp(prefix="ccr-test-"))
    yield directory
    shutil.rmtree(directory)


async def test_a_read_only_directory_is_refused_and_left_as_it_was(open_to_all: Path) -> None:
    async with open_engine(open_to_all) as engine:
        await publish(engine, 1)
    with read_only(open_to_all), pytest.raises(StorageFailed, match="writable for this user"):
        async with open_engine(open_to_all):
            pass
    with read_only(open_to_all), pytest.raises(StorageFailed, match="writable for this user"):
        async with open_engine(open_to_all / "inside"):
            pass
    for path in open_to_all.iterdir():
        path.chmod(0o600)
    assert len(await ids(open_to_all)) == 1


async def test_only_the_owner_may_read_the_data(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    async with open_engine(directory) as engine:
        await publish(engine, 1)
        assert directory.stat().st_mode & 0o077 == 0
        assert [p.name for p in directory.iterdir() if p.stat().st_mode & 0o077] == []


async def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        with pytest.raises(StorageFailed, match="another ccr process is using this directory"):
            async with open_engine(tmp_path):
                pass
        assert await publish(engine, 1) == [1]
    assert len(await ids(tmp_path)) == 1


async def copy_of_a_running_directory(tmp_path: Path, events: int) -> Path:
    """What a kill leaves behind: the files while commits are only in the write-ahead log."""
    copy = tmp_path / "killed"
    async with open_engine(tmp_path / "data") as engine:
        for n in range(1, events + 1):
            await publish(engine, n)
        shutil.copytree(tmp_path / "data", copy)
    return copy


async def test_a_torn_end_of_the_write_ahead_log_loses_nothing_acknowledged(tmp_path: Path) -> None:
    killed = await copy_of_a_running_directory(tmp_path, 20)
    with (killed / "backbone.sqlite-wal").open("ab") as wal:
        wal.write(os.urandom(3_000))  # a frame that was being written
    assert len(await ids(killed)) == 20


WAL_HEADER, FRAME = 32, 24 + 4_096
"""Bytes of the write-ahead log's header, and of one frame: its header and a page (SQLite file format, section 4.1)."""
DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "removed": lambda whole: None,
    "emptied": lambda whole: b"",
    "cut inside the header": lambda whole: whole[:10],
    "cut behind the header": lambda whole: whole[:WAL_HEADER],
    "cut inside the first frame": lambda whole: whole[: WAL_HEADER + FRAME // 2],
    "cut in the middle": lambda whole: whole[: len(whole) // 2],
    "cut between frames": lambda whole: whole[: WAL_HEADER + len(whole) // FRAME // 2 * FRAME],
    "without its last frame": lambda whole: whole[:-FRAME],
    "without its last byte": lambda whole: whole[:-1],
    "header overwritten": lambda whole: overwritten(whole, 0, 16),
    "salt overwritten": lambda whole: overwritten(whole, 16, 8),
    "a frame's header overwritten": lambda whole: overwritten(whole, WAL_HEADER + FRAME, 24),
    "a page overwritten": lambda whole: overwritten(whole, WAL_HEADER + FRAME + 24, 64),
    "the middle overwritten": lambda whole: overwritten(whole, len(whole) // 2, 64),
    "the last commit overwritten": lambda whole: overwritten(whole, len(whole) - 64, 64),
    "a page of zeros": lambda whole: whole[: WAL_HEADER + FRAME] + bytes(FRAME) + whole[WAL_HEADER + 2 * FRAME :],
}


def overwritten(whole: bytes, first: int, length: int) -> bytes:
    return whole[:first] + os.urandom(length) + whole[first + length :]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_write_ahead_log_is_refused_and_left_as_it_was(tmp_path: Path, damage: str) -> None:
    killed = await copy_of_a_running_directory(tmp_path, 20)
    path = killed / "backbone.sqlite-wal"
    whole = path.read_bytes()
    left = DAMAGE[damage](whole)
    if left is None:
        path.unlink()
    else:
        path.write_bytes(left)
    before = {p.name: p.read_bytes() for p in killed.iterdir() if "shm" not in p.name}
    with pytest.raises(StorageFailed, match="commits that were acknowledged are missing"):
        async with open_engine(killed):
            pass
    assert {name: (killed / name).read_bytes() for name in before} == before
    path.write_bytes(whole)
    assert len(await ids(killed)) == 20


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: a disk that is full for those that would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fills_while_the_write_ahead_log_is_copied_back_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CHECKPOINT_PAGES", 50)
    async with open_engine(tmp_path) as engine:
        with largest_file(600_000):
            accepted, refused = await until_refused(engine)
            assert "check the disk" in refused
            assert (tmp_path / "backbone.sqlite").stat().st_size > 500_000  # it was copied back until there was no room
            assert len(await engine.log.read(0, 10_000)) == accepted
        assert await publish(engine, accepted + 1) == [accepted + 1]
    assert len(await ids(tmp_path)) == accepted + 1


async def until_refused(engine: SqliteEngine) -> tuple[int, str]:
    """How many events were accepted until the disk refused, and what was said then."""
    for accepted in range(0, 10_000, 20):
        try:
            await publish(engine, *range(accepted + 1, accepted + 21))
        except StorageFailed as refused:
            return accepted, str(refused)
    raise AssertionError("the disk was never full")


async def test_a_directory_that_becomes_read_only_while_in_use_loses_nothing_accepted(open_to_all: Path) -> None:
    accepted = 0
    async with open_engine(open_to_all) as engine:
        with read_only(open_to_all):
            for n in range(1, 30):
                try:
                    await publish(engine, n)
                except StorageFailed as refused:
                    assert "writable for this user" in str(refused)  # noqa: PT017
                else:
                    accepted += 1
    for path in open_to_all.iterdir():
        path.chmod(0o600)
    assert len(await ids(open_to_all)) == accepted


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        await publish(engine, *range(1, 50))
    path = tmp_path / "backbone.sqlite"
    path.write_bytes(b"not a database at all" + path.read_bytes()[21:])
    with pytest.raises(StorageFailed, match="not a database of ours"):
        async with open_engine(tmp_path):
            pass


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "backbone.sqlite")
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StorageFailed, match="belongs to another program"):
        async with open_engine(tmp_path):
            pass


async def test_data_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    async with open_engine(tmp_path):
        pass
    newer = sqlite3.connect(tmp_path / "backbone.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageFailed, match="newer release"):
        async with open_engine(tmp_path):
            pass


async def test_a_commit_has_reached_the_disk_before_it_is_answered(engine: SqliteEngine) -> None:
    connection: sqlite3.Connection = engine.writer._group._connection
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_what_the_disk_said_is_told_without_values() -> None:
    failed = storage_failed(ValueError("5 Nowhere Lane"), Path(database.DATABASE))
    assert "Nowhere" not in str(failed)


async def test_a_commit_mark_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async with open_engine(tmp_path) as engine:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", refused)
            assert await publish(engine, 1) == [1]
        assert "commit mark" in caplog.text
        assert await publish(engine, 2) == [2]
    assert len(await ids(tmp_path)) == 2
