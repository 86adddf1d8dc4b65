"""The tables of the embedded engine, and how a file of an older version is brought forward.

Two keys are composed so that what is read together lies together:

- `facts.key` is case number and log position in one integer: the facts of a case are one range of the tree. What they
  say is read from the log.
- A view has no table. It is the facts of its case and the links it holds, so an event costs the same to store
  whether its case has ten facts or a thousand.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from services.engine.sqlite.ids import EVENT_IDS, LINK_IDS, hash_of
from services.engine.sqlite.recoding import recoded_link, recoded_transition
from services.engine.transaction import StorageFailed

APPLICATION_ID = 0x43435231
"""`PRAGMA application_id`: "CCR1"; tells our files from others."""
POSITION_BITS = 36
"""Low bits of `facts.key`: up to 68 billion events, in up to 134 million cases."""
MAX_POSITION = (1 << POSITION_BITS) - 1
"""Largest log position."""
MAX_CASE_NUMBER = (1 << (63 - POSITION_BITS)) - 1
"""Largest case number."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_V1 = (
    # How many groups were committed; compared with the commit mark beside the database when it is opened.
    "CREATE TABLE commits (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT",
    "INSERT INTO commits VALUES (1, 0)",
    "CREATE TABLE cases (number INTEGER PRIMARY KEY, case_id TEXT NOT NULL UNIQUE) STRICT",
    """CREATE TABLE events (
        position INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, case_id TEXT NOT NULL,
        digest BLOB NOT NULL, alerting INTEGER NOT NULL, body BLOB NOT NULL) STRICT""",
    "CREATE TABLE facts (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
    # held_by: number of the case whose view holds the link; pending, next_at: how many deadlines, and the earliest.
    """CREATE TABLE links (
        link_id TEXT NOT NULL UNIQUE, held_by INTEGER NOT NULL REFERENCES cases, agency TEXT NOT NULL,
        rule TEXT NOT NULL, open INTEGER NOT NULL, due_at INTEGER, overdue INTEGER NOT NULL,
        escalated INTEGER NOT NULL, pending INTEGER NOT NULL, next_at INTEGER, body BLOB NOT NULL) STRICT""",
    "CREATE INDEX links_held ON links (held_by)",
    # Also answers the counts that operators see, without touching the links themselves.
    "CREATE INDEX links_open ON links (agency, due_at, rule, overdue, escalated, pending) WHERE open = 1",
    "CREATE INDEX links_next ON links (next_at, link_id) WHERE next_at IS NOT NULL",
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY, position INTEGER NOT NULL REFERENCES events, recorded_at INTEGER NOT NULL,
        alerting INTEGER NOT NULL, body BLOB NOT NULL) STRICT""",
    """CREATE TABLE reference_numbers (
        kind TEXT NOT NULL, number TEXT NOT NULL, issuer TEXT NOT NULL, case_id TEXT NOT NULL,
        PRIMARY KEY (kind, number, issuer)) STRICT, WITHOUT ROWID""",
    "CREATE TABLE forwards (case_id TEXT PRIMARY KEY, into_case TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE dyads (
        suspect TEXT NOT NULL, victim TEXT NOT NULL, case_id TEXT NOT NULL,
        PRIMARY KEY (suspect, victim)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE persons (
        number INTEGER PRIMARY KEY, block BLOB NOT NULL, token TEXT NOT NULL, role TEXT NOT NULL,
        case_id TEXT NOT NULL, sealed_name TEXT NOT NULL, UNIQUE (block, token, role, case_id)) STRICT""",
    """CREATE TABLE proposals (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, case_id TEXT NOT NULL, other_case_id TEXT NOT NULL,
        cause TEXT NOT NULL, event_id TEXT NOT NULL, score INTEGER NOT NULL, proposed_at INTEGER NOT NULL,
        state TEXT NOT NULL) STRICT""",
    "CREATE INDEX proposals_state ON proposals (state, number)",
    """CREATE TABLE quarantine (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received_at INTEGER NOT NULL, agency TEXT NOT NULL,
        key_id TEXT NOT NULL, type_hint TEXT NOT NULL, title TEXT NOT NULL, problems TEXT NOT NULL,
        sealed_body TEXT NOT NULL, state TEXT NOT NULL) STRICT""",
    "CREATE INDEX quarantine_waiting ON quarantine (agency) WHERE state = 'waiting'",
    """CREATE TABLE api_keys (
        number INTEGER PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, agency TEXT NOT NULL, secret_hash BLOB NOT NULL,
        created_at INTEGER NOT NULL, label TEXT NOT NULL, revoked_at INTEGER) STRICT""",
    "CREATE TABLE audit (number INTEGER PRIMARY KEY, head TEXT NOT NULL, entry BLOB NOT NULL) STRICT",
)

_V2 = (
    # The newest people of a block, without sorting all of it: everybody called Smith shares one.
    "CREATE INDEX persons_block ON persons (block)",
)

_ID_TABLES = tuple(
    statement
    for table in (EVENT_IDS, LINK_IDS)
    for statement in (
        *(
            f"""CREATE TABLE {name} (hash INTEGER NOT NULL, number INTEGER NOT NULL,
                PRIMARY KEY (hash, number)) STRICT, WITHOUT ROWID"""
            for name in (table.settled, table.newest)
        ),
        f"CREATE VIEW {table.both} AS SELECT hash, number FROM {table.newest} "  # noqa: S608
        f"UNION ALL SELECT hash, number FROM {table.settled}",
    )
)

_V3 = (
    # Ids are found through tables of their own (`ids.py`): an index over them here was written at a page an event.
    """CREATE TABLE events_3 (
        position INTEGER PRIMARY KEY, event_id TEXT NOT NULL, case_id TEXT NOT NULL,
        digest BLOB NOT NULL, alerting INTEGER NOT NULL, body BLOB NOT NULL) STRICT""",
    "INSERT INTO events_3 SELECT position, event_id, case_id, digest, alerting, body FROM events ORDER BY position",
    "DROP TABLE events",
    "ALTER TABLE events_3 RENAME TO events",
    """CREATE TABLE links_3 (
        link_number INTEGER PRIMARY KEY, link_id TEXT NOT NULL, held_by INTEGER NOT NULL, agency TEXT NOT NULL,
        rule TEXT NOT NULL, open INTEGER NOT NULL, due_at INTEGER, overdue INTEGER NOT NULL,
        escalated INTEGER NOT NULL, pending INTEGER NOT NULL, next_at INTEGER, body BLOB NOT NULL) STRICT""",
    """INSERT INTO links_3 SELECT rowid, link_id, held_by, agency, rule, open, due_at, overdue, escalated, pending,
        next_at, body FROM links ORDER BY rowid""",
    "DROP TABLE links",
    "ALTER TABLE links_3 RENAME TO links",
    "CREATE INDEX links_held ON links (held_by)",
    "CREATE INDEX links_open ON links (agency, due_at, rule, overdue, escalated, pending) WHERE open = 1",
    "CREATE INDEX links_next ON links (next_at, link_id) WHERE next_at IS NOT NULL",
    *_ID_TABLES,
    "INSERT INTO event_ids SELECT id_hash(event_id) AS hash, position FROM events ORDER BY hash",
    "INSERT INTO link_ids SELECT id_hash(link_id) AS hash, link_number FROM links ORDER BY hash",
)

_V4 = (
    # How much the bodies that wait come to, and which settled ones are old, without reading them.
    "ALTER TABLE quarantine ADD COLUMN body_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE quarantine ADD COLUMN settled_at INTEGER",
    "UPDATE quarantine SET body_bytes = length(sealed_body)",
    "UPDATE quarantine SET settled_at = received_at WHERE state <> 'waiting'",
    "CREATE INDEX quarantine_bytes ON quarantine (agency, body_bytes) WHERE state = 'waiting'",
    "CREATE INDEX quarantine_settled ON quarantine (agency, settled_at) WHERE state <> 'waiting' AND body_bytes > 0",
)

_V5 = (
    # What the facts of a case say is read from the log itself: only where they are is kept.
    "CREATE TABLE facts_5 (key INTEGER PRIMARY KEY) STRICT",
    "INSERT INTO facts_5 SELECT key FROM facts ORDER BY key",
    "DROP TABLE facts",
    "ALTER TABLE facts_5 RENAME TO facts",
)

_V6 = (
    # Links and transitions are written as arrays, without the names of their fields: half the bytes.
    "UPDATE links SET body = recoded_link(body)",
    "UPDATE outbox SET body = recoded_transition(body)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_V1, _V2, _V3, _V4, _V5, _V6)
"""Statements that bring a file from version n to n + 1; `PRAGMA user_version` says which have run."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, in one transaction.

    Raises `StorageFailed` when the file belongs to another program or was written by a newer release.
    """
    connection.create_function("id_hash", 1, hash_of, deterministic=True)
    connection.create_function("recoded_link", 1, recoded_link)
    connection.create_function("recoded_transition", 1, recoded_transition)
    connection.execute("PRAGMA foreign_keys = OFF")  # of this connection, while tables are replaced
    connection.execute("BEGIN IMMEDIATE")
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if owner != APPLICATION_ID and not (owner == 0 and version == 0 and empty):
            raise StorageFailed("the database file belongs to another program; name another directory with --data")
        if version > len(MIGRATIONS):
            raise StorageFailed(
                f"the data was written by a newer release (version {version}, this one knows {len(MIGRATIONS)}); "
                "install that release"
            )
        for statement in (s for step in MIGRATIONS[version:] for s in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except BaseException:
        if connection.in_transaction:  # SQLite has already rolled back after some failures
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def stored_instant(at: datetime) -> int:
    """An instant as the tables hold it: microseconds since 1970, UTC."""
    return (at - _EPOCH) // _MICROSECOND


def read_instant(stored: int) -> datetime:
    """Inverse of `stored_instant`."""
    return _EPOCH + timedelta(microseconds=stored)
