"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.engine.sql.columns import BIG, OPEN_FIELDS, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "positions",
        sa.Column("stream", sa.Text(), nullable=False, comment="events or links"),
        sa.Column("partition", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("last", BIG, nullable=False, comment="newest position that is in the tables"),
        sa.PrimaryKeyConstraint("stream", "partition", name="pk_positions"),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False, comment="policy edition it is judged by"),
        sa.Column("corrects", sa.Text(), comment="event it replaces or withdraws"),
        sa.Column("data", OPEN_FIELDS, nullable=False, comment="open fields only"),
        sa.PrimaryKeyConstraint("event_id", name="pk_events"),
    )
    op.create_index("ix_events_case_id_occurred_at", "events", ["case_id", "occurred_at"])
    op.create_index("ix_events_type_occurred_at", "events", ["type", "occurred_at"])
    op.create_table(
        "links",
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False, comment="agency that owes the act"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due_at", Instant()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("escalated_to", sa.SmallInteger(), nullable=False, comment="highest rung of the ladder that heard"),
        sa.Column("lag_s", BIG, nullable=False),
        sa.Column("notified_at", Instant()),
        sa.Column("acknowledged_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("ended_by", sa.Text(), comment="event that ended it"),
        sa.Column("last", BIG, nullable=False, comment="position of the transition that left it so"),
        sa.PrimaryKeyConstraint("link_id", name="pk_links"),
    )
    op.create_index("ix_links_case_id", "links", ["case_id"])
    op.create_index("ix_links_agency_state_due_at", "links", ["agency", "state", "due_at"])
    op.create_index("ix_links_rule_opened_at", "links", ["rule", "opened_at"])
    op.create_table(
        "transitions",
        sa.Column("transition_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False, comment="event that caused it"),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("to_agency", sa.Text(), nullable=False),
        sa.Column("to_role", sa.Text(), nullable=False),
        sa.Column(
            "alerting", sa.Boolean(), nullable=False, comment="false: from backfilled history, nobody was alerted"
        ),
        sa.PrimaryKeyConstraint("transition_id", name="pk_transitions"),
    )
    op.create_index("ix_transitions_link_id", "transitions", ["link_id"])
    op.create_index("ix_transitions_at", "transitions", ["at"])


def downgrade() -> None:
    """Drop them: a read model can be projected anew from the log."""
    for table in ("transitions", "links", "events", "positions"):
        op.drop_table(table)
