"""Which policy editions the log was judged by: a backbone whose policies lack one must not start folding."""

from __future__ import annotations

from ccr_events.envelope import decode_record
from ccr_events.policy import PolicyBook
from services.engine.ports import Log


class PoliciesMissing(RuntimeError):
    """Events on the log were judged by policies that are not loaded; says which and what to do."""


async def require_editions(log: Log, last_position: int, policies: PolicyBook) -> None:
    """Raises `PoliciesMissing` unless every edition stamped on the log is loaded; `last_position` is the newest."""
    known = {edition.id for edition in policies.editions}
    missing = [edition for edition in await editions_on(log, last_position) if edition not in known]
    if missing:
        raise PoliciesMissing(
            f"events on the log were judged by policy edition {', '.join(missing)}, which {policies.origin} does not "
            "have: a document was changed or taken away after it was in force. Put the old text back, and change it "
            "by a new version with a later effective date"
        )


async def editions_on(log: Log, last_position: int) -> list[str]:
    """Edition ids stamped on the log, oldest first; `last_position` is the newest.

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
