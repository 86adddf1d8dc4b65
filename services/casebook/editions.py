"""Which policy editions the log was judged by: a backbone whose policies lack one must not start folding."""

from __future__ import annotations

from collections.abc import Sequence

from ccr_events.envelope import decode_record
from ccr_events.policy import PolicyBook
from services.engine.ports import Log


class PoliciesMissing(RuntimeError):
    """Events on the log were judged by policies that are not loaded; says which and what to do."""


def require_editions(stamped: Sequence[str], policies: PolicyBook) -> None:
    """Raises `PoliciesMissing` unless every edition stamped on the log is loaded."""
    missing = missing_editions(stamped, policies)
    if missing:
        raise PoliciesMissing(
            f"events on the log were judged by policy edition {', '.join(missing)}, which {policies.origin} does not "
            "have: a document was changed or taken away after it was in force, or another worker has newer ones. Give "
            "every worker the same documents, put an old text back, and change it by a new version with a later "
            "effective date"
        )


def missing_editions(stamped: Sequence[str], policies: PolicyBook) -> list[str]:
    """Those of the editions on a log that are not loaded."""
    known = {edition.id for edition in policies.editions}
    return [edition for edition in stamped if edition not in known]


async def editions_on(log: Log, last_position: int) -> list[str]:
    """Edition ids stamped on a log that one process writes, oldest first; `last_position` is the newest.

    Events carry the edition in force when they were recorded, so an edition's events lie together: its end is found
    by halving, in some twenty reads an edition however long the log is. Events carried by a merge bear the edition
    of the merge and add none.
    """
    found: list[str] = []
    position = 1
    while position <= last_position:
        edition = await _edition_at(log, position)
        if edition not in found:
            found.append(edition)
        position = await _end_of(log, edition, position, last_position)
    return found


async def _end_of(log: Log, edition: str, inside: int, last_position: int) -> int:
    """A position beyond which another edition begins, given one inside; one more than the last at the end."""
    if await _edition_at(log, last_position) == edition:
        return last_position + 1
    beyond = last_position
    while beyond - inside > 1:
        middle = (inside + beyond) // 2
        if await _edition_at(log, middle) == edition:
            inside = middle
        else:
            beyond = middle
    return beyond


async def _edition_at(log: Log, position: int) -> str:
    (record,) = await log.read(position - 1, 1)
    edition: str = decode_record(record.body)["policyversion"]
    return edition
