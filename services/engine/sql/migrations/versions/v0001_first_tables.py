"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.engine.sql.columns import BIG, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "store_api_keys",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_store_api_keys"),
        sa.UniqueConstraint("key_id", name="uq_store_api_keys_key_id"),
    )
    op.create_table(
        "store_audit",
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("head", sa.Text(), nullable=False, comment="SHA-256 over the head before and the entry"),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_store_audit"),
    )
    op.create_table(
        "store_cases",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_store_cases"),
        sa.UniqueConstraint("case_id", name="uq_store_cases_case_id"),
    )
    op.create_table(
        "store_counters",
        sa.Column("name", sa.Text(), nullable=False, comment="events or outbox"),
        sa.Column("last", BIG, nullable=False, comment="newest number given out"),
        sa.Column("owner", sa.Text(), nullable=True, comment="writer whose turn was the last to change the case index"),
        sa.Column("recorded_at", Instant(), nullable=True, comment="newest instant recorded on the log"),
        sa.PrimaryKeyConstraint("name", name="pk_store_counters"),
    )
    op.create_table(
        "store_dyads",
        sa.Column("suspect", sa.Text(), nullable=False),
        sa.Column("victim", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("suspect", "victim", name="pk_store_dyads"),
    )
    op.create_table(
        "store_events",
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="keyed hash of the event as published"),
        sa.Column("alerting", sa.Boolean(), nullable=False, comment="false: backfilled history"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="log form, sealed"),
        sa.PrimaryKeyConstraint("position", name="pk_store_events"),
        sa.UniqueConstraint("event_id", name="uq_store_events_event_id"),
    )
    op.create_index("ix_store_events_case_id_position", "store_events", ["case_id", "position"], unique=False)
    op.create_table(
        "store_forwards",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("into_case", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_store_forwards"),
    )
    op.create_table(
        "store_links",
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column(
            "held_by", sa.Text(), nullable=False, comment="case whose view holds it; another than its own after a merge"
        ),
        sa.Column("held_at", Instant(), nullable=False, comment="when what made it so was recorded"),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column(
            "gone",
            sa.Boolean(),
            nullable=False,
            comment="a correction took it away; kept, so that no late word revives it",
        ),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("pending", sa.SmallInteger(), nullable=False, comment="deadlines not reached"),
        sa.Column("next_at", Instant(), nullable=True, comment="the earliest of them"),
        sa.Column("origin", sa.Text(), nullable=False, comment="topic and partition of the transition that left it so"),
        sa.Column("next_offset", BIG, nullable=False, comment="offset after that transition"),
        sa.Column("told_at", Instant(), nullable=False, comment="newest instant of the transitions that came so far"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name="pk_store_links"),
    )
    op.create_index(
        "ix_store_links_agency_due_at",
        "store_links",
        ["agency", "due_at"],
        unique=False,
        postgresql_where=sa.text("open"),
        sqlite_where=sa.text("open"),
    )
    op.create_index("ix_store_links_held_by", "store_links", ["held_by"], unique=False)
    op.create_index(
        "ix_store_links_next_at",
        "store_links",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
        sqlite_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "store_outbox",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("transition_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False, comment="of the causing event"),
        sa.Column("alerting", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_store_outbox"),
        sa.UniqueConstraint("transition_id", name="uq_store_outbox_transition_id"),
    )
    op.create_table(
        "store_persons",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False, comment="keyed hash that candidates share"),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("sealed_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_store_persons"),
    )
    op.create_index("ix_store_persons_block_number", "store_persons", ["block", "number"], unique=False)
    op.create_index("uq_store_persons", "store_persons", ["block", "token", "role", "case_id"], unique=True)
    op.create_table(
        "store_positions",
        sa.Column("topic", sa.Text(), nullable=False, comment="topic"),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_offset", BIG, nullable=False, comment="first offset that is not in the tables"),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_store_positions"),
    )
    op.create_table(
        "store_proposals",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("other_case_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_store_proposals"),
        sa.UniqueConstraint("id", name="uq_store_proposals_id"),
    )
    op.create_index("ix_store_proposals_state_number", "store_proposals", ["state", "number"], unique=False)
    op.create_table(
        "store_quarantine",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("type_hint", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("sealed_body", sa.Text(), nullable=False),
        sa.Column("body_size", sa.Integer(), nullable=False, comment="characters of the sealed body"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_store_quarantine"),
        sa.UniqueConstraint("id", name="uq_store_quarantine_id"),
    )
    op.create_index(
        "ix_store_quarantine_settled",
        "store_quarantine",
        ["agency", "settled_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'waiting' AND body_size > 0"),
        sqlite_where=sa.text("state <> 'waiting' AND body_size > 0"),
    )
    op.create_index(
        "ix_store_quarantine_waiting",
        "store_quarantine",
        ["agency", "body_size"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
        sqlite_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "store_references",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", "issuer", name="pk_store_references"),
    )
    op.create_table(
        "store_unsent",
        sa.Column("position", BIG, autoincrement=False, nullable=False, comment="event that may not be on Kafka yet"),
        sa.PrimaryKeyConstraint("position", name="pk_store_unsent"),
    )

    counters = sa.table("store_counters", sa.column("name", sa.Text()), sa.column("last", BIG))
    op.bulk_insert(counters, [{"name": "events", "last": 0}, {"name": "outbox", "last": 0}])


def downgrade() -> None:
    """Drop them: what was committed and not sent is lost with them, and so is the case index."""
    for table in (
        "audit", "api_keys", "quarantine", "proposals", "persons", "dyads", "forwards", "references", "cases",
        "outbox", "links", "positions", "unsent", "events", "counters",
    ):  # fmt: skip
        op.drop_table(f"store_{table}")
