"""Refused submissions. Implements `services.engine.transaction.QuarantineStore`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, func, select, update

from services.engine.sql.aside import Aside
from services.engine.sql.database import inserting
from services.engine.sql.session import Executing
from services.engine.sql.tables import QUARANTINE as Q
from services.engine.transaction import Held

_READ = tuple(
    Q.c[name]
    for name in ("id", "received_at", "agency", "key_id", "type_hint", "title", "problems", "sealed_body", "state")
)
_WAITS = Q.c.state == "waiting"


class SqlQuarantine:
    """The quarantine, one statement a call."""

    def __init__(self, reading: Executing, aside: Aside) -> None:
        self._reading = reading
        self._aside = aside

    def hold(self, held: Held) -> None:
        """Keep; the same id again changes nothing."""
        statement = inserting(self._aside.dialect, Q)
        self._aside.write(statement.on_conflict_do_nothing(index_elements=["id"]), _row(held))

    def renew(self, held: Held) -> None:
        """Put in the place of the entry with the same id, which was settled: it waits again."""
        statement = inserting(self._aside.dialect, Q)
        changed = {name: statement.excluded[name] for name in _row(held) if name != "id"} | {"settled_at": None}
        self._aside.write(statement.on_conflict_do_update(index_elements=["id"], set_=changed), _row(held))

    def get(self, quarantine_id: str) -> Held | None:
        """One entry."""
        row = self._looking().execute(select(*_READ).where(Q.c.id == quarantine_id)).one_or_none()
        return None if row is None else _held(row)

    def mark(self, quarantine_id: str, state: str, at: datetime) -> None:
        """`redriven` or `discarded`, from `at` on."""
        self._aside.write(update(Q).where(Q.c.id == quarantine_id).values(state=state, settled_at=at))

    def drop_settled(self, agency: str, *, keep: int, before: datetime) -> None:
        """Take the bodies out of an agency's old settled entries; see `QuarantineStore`."""
        settled = select(Q.c.number).where(Q.c.agency == agency, Q.c.state != "waiting", Q.c.body_size > 0)
        newest = settled.order_by(Q.c.settled_at.desc(), Q.c.number.desc()).limit(keep)
        dropped = settled.where((Q.c.settled_at < before) | Q.c.number.not_in(newest.scalar_subquery()))
        emptied = update(Q).where(Q.c.number.in_(dropped.scalar_subquery()))
        self._aside.write(emptied.values(sealed_body="", body_size=0))

    def waiting(self, limit: int, agency: str | None = None) -> list[Held]:
        """Oldest first (of one agency)."""
        query = select(*_READ).where(_WAITS, *_of(agency)).order_by(Q.c.number).limit(limit)
        return [_held(row) for row in self._looking().execute(query)]

    def count_waiting(self, agency: str | None = None) -> int:
        """How many wait (of one agency)."""
        query = select(func.count()).select_from(Q).where(_WAITS, *_of(agency))
        return int(self._looking().execute(query).scalar_one())

    def bytes_waiting(self, agency: str) -> int:
        """What the sealed bodies of an agency's waiting entries come to, in characters."""
        query = select(func.coalesce(func.sum(Q.c.body_size), 0)).where(_WAITS, *_of(agency))
        return int(self._looking().execute(query).scalar_one())

    def _looking(self) -> Executing:
        return self._aside.read_through(self._reading)


def _of(agency: str | None) -> tuple[Any, ...]:
    return () if agency is None else (Q.c.agency == agency,)


def _row(held: Held) -> dict[str, Any]:
    return {
        "id": held.id,
        "received_at": held.received_at,
        "agency": held.agency,
        "key_id": held.key_id,
        "type_hint": held.type_hint,
        "title": held.title,
        "problems": orjson.dumps(held.problems).decode(),
        "sealed_body": held.sealed_body,
        "body_size": len(held.sealed_body),
        "state": held.state,
    }


def _held(row: Row[*tuple[Any, ...]]) -> Held:
    identity, received_at, agency, key_id, type_hint, title, problems, sealed_body, state = row
    pairs = tuple((pointer, message) for pointer, message in orjson.loads(problems))
    return Held(identity, received_at, agency, key_id, type_hint, title, pairs, sealed_body, state)
