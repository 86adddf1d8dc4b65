"""Data of an older release is brought forward whole, and works on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson
import pytest
from msgspec.structs import asdict

from ccr_events.core.codec import decode_link, decode_transition
from ccr_events.core.model import Link
from services.casebook.replay import verify
from services.engine.sqlite import open_engine, schema
from services.engine.sqlite.database import DATABASE
from tests.support.core_rules import BOOK, fact
from tests.support.records import append_all

FACTS = [fact(n, "arrest.made", n, case_id=f"case-{n % 5}", dv="yes") for n in range(1, 40)]
V1_TABLES = {
    "cases": "number, case_id",
    "events": "position, event_id, case_id, digest, alerting, body",
    "links": "link_id, held_by, agency, rule, open, due_at, overdue, escalated, pending, next_at, body",
    "outbox": "seq, position, recorded_at, alerting, body",
}


def old_link(body: bytes) -> bytes:
    """With the names of its fields, and times with an offset."""
    return orjson.dumps(named(decode_link(body)))


def old_transition(body: bytes) -> bytes:
    transition = decode_transition(body)
    return orjson.dumps({**asdict(transition), "link": named(transition.link)})


def named(link: Link) -> dict[str, object]:
    return {**asdict(link), "steps": [asdict(step) for step in link.steps]}


async def data_of_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What release 1 would have written: today's rows in its tables."""
    async with open_engine(tmp_path / "new") as engine:
        await engine.writer.write(lambda tx: append_all(tx, FACTS))
    old = tmp_path / "old"
    old.mkdir()
    connection = sqlite3.connect(old / DATABASE, isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        schema.migrate(connection)
    connection.execute("ATTACH ? AS new", (str(tmp_path / "new" / DATABASE),))
    for table, columns in V1_TABLES.items():
        connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
    connection.execute("INSERT INTO facts SELECT key, x'7b7d' FROM new.facts")  # a body that nobody reads any more
    connection.create_function("old_link", 1, old_link)
    connection.create_function("old_transition", 1, old_transition)
    connection.execute("UPDATE main.links SET body = old_link(body)")
    connection.execute("UPDATE main.outbox SET body = old_transition(body)")
    connection.close()
    return old


async def test_data_of_version_1_is_brought_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = await data_of_version_1(tmp_path, monkeypatch)
    async with open_engine(old) as engine:
        assert [r.event_id for r in await engine.log.read(0)] == [f.id for f in FACTS]
        known = await engine.log.known([f.id for f in FACTS])
        assert known == {f.id for f in FACTS}
        link = (await engine.links.links())[0]
        assert await engine.links.link(link.id) == link
        more = fact(50, "jail.booked", 45, case_id="case-1")
        assert await engine.writer.write(lambda tx: append_all(tx, [*FACTS, more])) == [len(FACTS) + 1]
    report = verify(old, BOOK)
    assert report.identical, report.differences
    assert (report.events, report.cases) == (len(FACTS) + 1, 5)
    async with open_engine(old), open_engine(tmp_path / "new"):
        pass
    assert tables(old) == tables(tmp_path / "new")


def tables(directory: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(directory / DATABASE)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    rows = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    connection.close()
    return rows
