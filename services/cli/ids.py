"""Ids as people type them: the first characters are enough where only one thing begins so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.cli.client import Client
from services.cli.options import MAX_LIMIT
from services.cli.refused import Refused

SHORTEST = 4
"""Fewest characters of an id."""
_WHOLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAX_NAMED = 5


def link_id(client: Client, typed: str) -> str:
    """The link whose id begins with `typed`; raises `Refused` when none or several do."""
    return _resolved(typed, "link", lambda: (link["id"] for link in client.links(open_only=False, limit=MAX_LIMIT)))


def case_id(client: Client, typed: str) -> str:
    """The case of the links that carry the number `typed`, or whose id begins so; raises `Refused` as for links.

    Only cases that owe links are found so. A number an agency may see is on the links that it may see.
    """
    wanted = typed.strip()
    if _WHOLE.fullmatch(wanted.lower()):
        return wanted.lower()
    links = client.links(open_only=False, limit=MAX_LIMIT)
    by_number = sorted({link["case_id"] for link in links if _carries(link, wanted)})
    if len(by_number) > 1:
        raise Refused(f"several cases have that number: {_named(by_number)}. Type the id of one")
    return (
        by_number[0]
        if by_number
        else _resolved(wanted, "case", lambda: (link["case_id"] for link in links), or_number=True)
    )


def _carries(link: Mapping[str, Any], number: str) -> bool:
    return any(reference["number"].casefold() == number.casefold() for reference in link.get("references", ()))


def quarantine_id(client: Client, typed: str) -> str:
    """The waiting submission whose id begins with `typed`."""
    return _resolved(typed, "quarantined event", lambda: (held["id"] for held in client.quarantine(MAX_LIMIT)))


def proposal_id(client: Client, typed: str) -> str:
    """The waiting proposal whose id begins with `typed`."""
    return _resolved(typed, "proposal", lambda: (waiting["id"] for waiting in client.proposals(MAX_LIMIT)))


def _resolved(typed: str, what: str, known: Callable[[], Iterable[str]], *, or_number: bool = False) -> str:
    wanted = typed.strip().lower()
    if _WHOLE.fullmatch(wanted):
        return wanted
    if len(wanted) < SHORTEST:
        number = ", or a whole number of it" if or_number else ""
        raise Refused(f"type at least {SHORTEST} characters of the {what}'s id{number}")
    found = sorted({whole for whole in known() if whole.lower().startswith(wanted)})
    if len(found) == 1:
        return found[0]
    if not found:
        number = "has that number, and none " if or_number else ""
        raise Refused(
            f"no {what} {number}begins with that id, or this agency may not see it; the whole id always works"
        )
    raise Refused(f"several begin so: {_named(found)}. Type more of the id")


def _named(found: Sequence[str]) -> str:
    more = "" if len(found) <= _MAX_NAMED else f" and {len(found) - _MAX_NAMED} more"
    return f"{', '.join(found[:_MAX_NAMED])}{more}"
