"""The tables of the read model. A change here needs a migration (`migrations/versions`); a test compares the two."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, SmallInteger, Table, Text

from services.engine.sql.columns import BIG, OPEN_FIELDS, Instant

METADATA = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

POSITIONS = Table(
    "positions",
    METADATA,
    Column("stream", Text, primary_key=True, comment="events or links"),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("last", BIG, nullable=False, comment="newest position that is in the tables"),
)
"""How far each stream is projected; moved in the same transaction as what it brought."""

EVENTS = Table(
    "events",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("edition", Text, nullable=False, comment="policy edition it is judged by"),
    Column("corrects", Text, comment="event it replaces or withdraws"),
    Column("data", OPEN_FIELDS, nullable=False, comment="open fields only"),
    Index(None, "case_id", "occurred_at"),
    Index(None, "type", "occurred_at"),
)

LINKS = Table(
    "links",
    METADATA,
    Column("link_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("trigger_id", Text, nullable=False),
    Column("agency", Text, nullable=False, comment="agency that owes the act"),
    Column("role", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("state", Text, nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("escalated_to", SmallInteger, nullable=False, comment="highest rung of the ladder that heard"),
    Column("lag_s", BIG, nullable=False),
    Column("notified_at", Instant),
    Column("acknowledged_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", Text, comment="event that ended it"),
    Column("last", BIG, nullable=False, comment="position of the transition that left it so"),
    Index(None, "case_id"),
    Index(None, "agency", "state", "due_at"),
    Index(None, "rule", "opened_at"),
)

TRANSITIONS = Table(
    "transitions",
    METADATA,
    Column("transition_id", Text, primary_key=True),
    Column("link_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("step", SmallInteger, nullable=False),
    Column("cause", Text, nullable=False, comment="event that caused it"),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("to_agency", Text, nullable=False),
    Column("to_role", Text, nullable=False),
    Column("alerting", Boolean, nullable=False, comment="false: from backfilled history, nobody was alerted"),
    Index(None, "link_id"),
    Index(None, "at"),
)
