"""The policy editions that events were judged by, with those of the events that are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ccr_events.envelope import decode_record

revision = "0002"
down_revision = "0001"
FETCHED = 1_000
"""Events that are read together."""


def upgrade() -> None:
    """Create the table and fill it."""
    editions = op.create_table(
        "store_editions",
        sa.Column("edition", sa.Text(), nullable=False, comment="id of a policy edition"),
        sa.PrimaryKeyConstraint("edition", name="pk_store_editions"),
    )
    found = _stamped(op.get_bind())
    op.bulk_insert(editions, [{"edition": edition} for edition in sorted(found)])


def _stamped(connection: sa.Connection) -> set[str]:
    """The editions on the events, read in pages, so that a log of any length fits."""
    events = sa.table("store_events", sa.column("position", sa.BigInteger), sa.column("body", sa.LargeBinary))
    page = sa.select(events.c.position, events.c.body).order_by(events.c.position).limit(FETCHED)
    found, after = set[str](), 0
    while rows := connection.execute(page.where(events.c.position > after)).all():
        found |= {decode_record(body)["policyversion"] for _, body in rows}
        after = rows[-1][0]
    return found
