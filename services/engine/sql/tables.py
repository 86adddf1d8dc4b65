"""The tables of the SQL store. A change here needs a migration (`migrations/versions`); a test compares the two.

Every name begins with `store_`, so that the read model may live in the same database.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text, text

from services.engine.sql.columns import BIG, Instant

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _number() -> Column[int]:
    """Counts rows in the order in which they were put."""
    return Column("number", BIG, primary_key=True, autoincrement=True)


COUNTERS = Table(
    "store_counters",
    METADATA,
    Column("name", Text, primary_key=True, comment="events or outbox"),
    Column("last", BIG, nullable=False, comment="newest number given out"),
    Column("owner", Text, comment="writer whose turn was the last to change the case index"),
    Column("recorded_at", Instant, comment="newest instant recorded on the log"),
)
"""Numbers without gaps, given out in the order of the commits: whoever counts has the row until it commits."""

EVENTS = Table(
    "store_events",
    METADATA,
    Column("position", BIG, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("case_id", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="keyed hash of the event as published"),
    Column("alerting", Boolean, nullable=False, comment="false: backfilled history"),
    Column("body", LargeBinary, nullable=False, comment="log form, sealed"),
    Index(None, "case_id", "position"),
)

UNSENT = Table(
    "store_unsent",
    METADATA,
    Column("position", BIG, primary_key=True, autoincrement=False, comment="event that may not be on Kafka yet"),
)

EDITIONS = Table(
    "store_editions",
    METADATA,
    Column("edition", Text, primary_key=True, comment="id of a policy edition"),
)
"""Those that the events were judged by; what has not all of them cannot judge the events anew."""

POSITIONS = Table(
    "store_positions",
    METADATA,
    Column("topic", Text, primary_key=True, comment="topic"),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BIG, nullable=False, comment="first offset that is not in the tables"),
)
"""How far each partition of a topic is projected; moved in the same transaction as what it brought."""

LINKS = Table(
    "store_links",
    METADATA,
    Column("link_id", Text, primary_key=True),
    Column("held_by", Text, nullable=False, comment="case whose view holds it; another than its own after a merge"),
    Column("held_at", Instant, nullable=False, comment="when what made it so was recorded"),
    Column("agency", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("gone", Boolean, nullable=False, comment="a correction took it away; kept, so that no late word revives it"),
    Column("due_at", Instant),
    Column("overdue", Boolean, nullable=False),
    Column("escalated", Boolean, nullable=False),
    Column("pending", SmallInteger, nullable=False, comment="deadlines not reached"),
    Column("next_at", Instant, comment="the earliest of them"),
    Column("origin", Text, nullable=False, comment="topic and partition of the transition that left it so"),
    Column("next_offset", BIG, nullable=False, comment="offset after that transition"),
    Column("told_at", Instant, nullable=False, comment="newest instant of the transitions that came so far"),
    Column("body", LargeBinary, nullable=False),
    Index(None, "held_by"),
    Index(None, "agency", "due_at", postgresql_where=text("open"), sqlite_where=text("open")),
    Index(None, "next_at", postgresql_where=text("next_at IS NOT NULL"), sqlite_where=text("next_at IS NOT NULL")),
)

OUTBOX = Table(
    "store_outbox",
    METADATA,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("transition_id", Text, nullable=False, unique=True),
    Column("recorded_at", Instant, nullable=False, comment="of the causing event"),
    Column("alerting", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

CASES = Table(
    "store_cases",
    METADATA,
    _number(),
    Column("case_id", Text, nullable=False, unique=True),
)

REFERENCES = Table(
    "store_references",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
)

FORWARDS = Table(
    "store_forwards",
    METADATA,
    Column("case_id", Text, primary_key=True),
    Column("into_case", Text, nullable=False),
)

DYADS = Table(
    "store_dyads",
    METADATA,
    Column("suspect", Text, primary_key=True),
    Column("victim", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
)

PERSONS = Table(
    "store_persons",
    METADATA,
    _number(),
    Column("block", LargeBinary, nullable=False, comment="keyed hash that candidates share"),
    Column("token", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("sealed_name", Text, nullable=False),
    Index("uq_store_persons", "block", "token", "role", "case_id", unique=True),
    Index(None, "block", "number"),
)

PROPOSALS = Table(
    "store_proposals",
    METADATA,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("case_id", Text, nullable=False),
    Column("other_case_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Index(None, "state", "number"),
)

QUARANTINE = Table(
    "store_quarantine",
    METADATA,
    _number(),
    Column("id", Text, nullable=False, unique=True),
    Column("received_at", Instant, nullable=False),
    Column("agency", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("type_hint", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("sealed_body", Text, nullable=False),
    Column("body_size", Integer, nullable=False, comment="characters of the sealed body"),
    Column("state", Text, nullable=False),
    Column("settled_at", Instant),
    Index(
        "ix_store_quarantine_waiting",
        "agency",
        "body_size",
        postgresql_where=text("state = 'waiting'"),
        sqlite_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_store_quarantine_settled",
        "agency",
        "settled_at",
        postgresql_where=text("state <> 'waiting' AND body_size > 0"),
        sqlite_where=text("state <> 'waiting' AND body_size > 0"),
    ),
)

API_KEYS = Table(
    "store_api_keys",
    METADATA,
    _number(),
    Column("key_id", Text, nullable=False, unique=True),
    Column("agency", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("label", Text, nullable=False),
    Column("revoked_at", Instant),
)

AUDIT = Table(
    "store_audit",
    METADATA,
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("head", Text, nullable=False, comment="SHA-256 over the head before and the entry"),
    Column("entry", LargeBinary, nullable=False),
)
