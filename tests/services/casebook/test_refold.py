"""What differs from the log is written anew from it, case by case, also while events of the same case arrive."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson
import pytest

from services.casebook.refold import refold_case, refold_cases, refold_directory
from services.casebook.replay import ReplayRefused, verify
from services.engine.sqlite import open_engine
from services.engine.transaction import StorageFailed
from tests.services.casebook.test_replay import FACTS, LINK, change
from tests.support.core_rules import BOOK, Book, fact
from tests.support.records import append_all

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    async with open_engine(tmp_path) as engine:
        await engine.writer.write(lambda tx: append_all(tx, FACTS))
    return tmp_path


async def repaired(directory: Path) -> None:
    """Repair what a replay says can be repaired, and prove it."""
    found = await asyncio.to_thread(verify, directory, BOOK)
    assert not found.identical
    cases = sorted(found.repairable)
    await asyncio.to_thread(partial(refold_directory, directory, cases, BOOK, lambda: NOW, strays=found.strays))
    after = verify(directory, BOOK)
    assert after.identical, after.differences
    assert (after.events, after.links) == (6, 6)


@pytest.mark.parametrize(
    "statements",
    [
        ("DELETE FROM links", "UPDATE forwards SET into_case = 'case-1'", "DELETE FROM facts"),
        ("DELETE FROM facts", "DELETE FROM links", "DELETE FROM forwards"),
        (f"UPDATE links SET agency = 'jail' WHERE {LINK}",),
        (f"UPDATE links SET held_by = 1 WHERE {LINK}",),
        ("UPDATE cases SET case_id = 'case-x' WHERE number = 1",),
        ("UPDATE facts SET key = key + (50 << 36) WHERE key >> 36 = 1",),
        ("UPDATE facts SET key = key + (1 << 36) WHERE key >> 36 = 1 AND key & 1 = 0",),
    ],
)
async def test_whatever_is_derived_is_written_anew(directory: Path, statements: tuple[str, ...]) -> None:
    change(directory, *statements)
    await repaired(directory)


async def test_a_case_is_repaired_while_the_service_runs_and_goes_on(directory: Path) -> None:
    change(directory, "DELETE FROM links", "DELETE FROM facts")
    async with open_engine(directory) as engine:
        more = fact(8, "jail.booked", 6)

        async def arrives() -> None:
            await engine.writer.write(lambda tx: append_all(tx, [more]))

        repair = refold_cases(engine.writer, ["case-1", "case-2", "case-3"], BOOK, at=NOW, by="key")
        await asyncio.gather(repair, arrives())
        await refold_cases(engine.writer, ["case-1"], BOOK, at=NOW, by="key")
        assert {d.part for d in verify(directory, BOOK).differences} <= {"outbox"}
        later = fact(9, "arrest.made", 8, dv="yes", case_id="case-1")
        await engine.writer.write(lambda tx: append_all(tx, [later]))
        assert {d.part for d in verify(directory, BOOK).differences} <= {"outbox"}


async def test_an_event_of_the_same_group_keeps_its_fact(directory: Path) -> None:
    change(directory, "DELETE FROM facts WHERE key >> 36 = 1")
    async with open_engine(directory) as engine:
        positions = await engine.writer.read(lambda tx: tx.rewriting.positions(["case-1"]))

        def both(tx: object) -> None:
            refold_case(tx, "case-1", positions["case-1"], BOOK)  # type: ignore[arg-type]
            append_all(tx, [fact(9, "jail.booked", 3)])  # type: ignore[arg-type]
            refold_case(tx, "case-1", positions["case-1"], BOOK)  # type: ignore[arg-type]

        await engine.writer.write(both)
        report = verify(directory, BOOK)
        assert report.identical, report.differences
        assert report.events == 7


async def test_nothing_is_told_again_and_the_repair_is_on_the_audit_log(directory: Path) -> None:
    change(directory, "DELETE FROM links")
    async with open_engine(directory) as engine:
        told = await engine.alerts.last_seq()
        await refold_cases(engine.writer, ["case-1"], BOOK, at=NOW, by="0123")
        assert await engine.alerts.last_seq() == told
        ((_, _, entry),) = await engine.writer.read(lambda tx: tx.audit.entries(0, 10))
    said = orjson.loads(entry)
    assert (said["operation"], said["key_id"], said["case_ids"]) == ("refold", "0123", ["case-1"])


async def test_a_repair_that_fails_leaves_the_case_as_it_was(directory: Path) -> None:
    async with open_engine(directory) as engine:
        with pytest.raises(ReplayRefused, match="edition e2"):
            await refold_cases(engine.writer, ["case-2"], Book({"e1": BOOK.editions["e1"]}), at=NOW, by="key")
    assert verify(directory, BOOK).identical


async def test_a_case_that_nobody_knows_is_not_made_by_repairing_it(directory: Path) -> None:
    async with open_engine(directory) as engine:
        await refold_cases(engine.writer, ["no-such-case"], BOOK, at=NOW, by="key")
        assert not await engine.writer.read(lambda tx: tx.cases.case_exists("no-such-case"))


async def test_a_directory_in_use_is_not_repaired_behind_the_service(directory: Path) -> None:
    async with open_engine(directory):
        with pytest.raises(StorageFailed, match="another ccr process"):
            await asyncio.to_thread(refold_directory, directory, ["case-1"], BOOK, lambda: NOW)


async def test_readers_never_see_a_case_without_its_links(directory: Path) -> None:
    async with open_engine(directory) as engine:
        seen: set[int] = set()

        async def look() -> None:
            for _ in range(20):
                seen.add(len(await engine.links.links(case_id="case-1", open_only=False)))

        await asyncio.gather(look(), *(refold_cases(engine.writer, ["case-1"], BOOK, at=NOW, by="k") for _ in range(5)))
        with sqlite3.connect(directory / "backbone.sqlite") as connection:
            (links,) = connection.execute("SELECT count(*) FROM links WHERE held_by = 1").fetchone()
    assert seen == {links}
