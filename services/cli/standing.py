"""A case as it stood at a time, for people and programs. Open fields only, as the tracking entity is shown them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccr_events.core.model import Fact, Link
    from services.casebook.as_of import Standing
    from services.casebook.history import History
    from services.casebook.replay_crew import Opened

MAX_NAMED = 10
"""Cases offered when what was typed fits several."""
SHORTEST = 4
"""Fewest characters of an id or number."""
_RELEASED = "advocate.information_shared"
"""That it happened tells that the person is in touch with an advocate (28 CFR 94.115): shown to nobody here."""


def show_case(opened: Opened[History], typed: str, as_of: str, policies: Path | None, *, as_json: bool) -> None:
    """Print a case as it stood; raises `Refused`."""
    from ccr_events.policy import load_policies
    from services.casebook.as_of import case_as_of
    from services.cli.moments import past_moment
    from services.cli.printing import json_line
    from services.cli.refused import Refused
    from services.cli.spoken import local_time

    at = past_moment(as_of, datetime.now(UTC))
    with opened() as stored:
        named = stored.cases_named(typed, MAX_NAMED) if len(typed) >= SHORTEST else []
        if len(named) != 1:
            raise Refused(_which(typed, named))
        standing = case_as_of(stored, named[0], at, load_policies(policies))
    if standing is None:
        raise Refused(f"nothing of case {named[0]} had been recorded by {local_time(at)}")
    if as_json:
        json_line(_form(standing, at))
    else:
        _tell(standing, at)


def _which(typed: str, named: list[str]) -> str:
    if len(typed) < SHORTEST:
        return f"give at least {SHORTEST} characters of the case's id, or a whole number of it"
    if not named:
        return "no case has an id that begins so, or such a number"
    return f"several cases fit: {', '.join(named)}"


def _visible(standing: Standing) -> list[Fact]:
    return [fact for fact in standing.timeline if fact.type != _RELEASED]


def _shown(fact: Fact) -> dict[str, Any]:
    from ccr_events.agencies import Agency
    from services.sealing.shown import shown

    return shown(fact.type, fact.agency, fact.data, Agency.CCR.value)


def _form(standing: Standing, at: datetime) -> dict[str, Any]:
    return {
        "case_id": standing.view.case_id,
        "as_of": at,
        "merged_into": standing.into,
        "recorded_later": standing.later,
        "timeline": [
            {
                "id": fact.id,
                "type": fact.type,
                "agency": fact.agency,
                "occurred_at": fact.occurred_at,
                "recorded_at": fact.recorded_at,
                "corrects": fact.corrects,
                "counts": fact.id in standing.counting,
                "data": _shown(fact),
            }
            for fact in _visible(standing)
        ],
        "links": [_link_form(link) for link in _links(standing)],
    }


def _links(standing: Standing) -> list[Link]:
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(standing.view.links.values(), key=lambda link: (link.due_at or last, link.id))


def _link_form(link: Link) -> dict[str, Any]:
    import orjson
    from msgspec.structs import asdict

    form = asdict(link)
    form["steps"] = [asdict(step) for step in link.steps]
    stored: dict[str, Any] = orjson.loads(orjson.dumps(form))
    stored["references"] = [{"kind": kind, "number": number} for kind, number in link.references]
    return stored


def _tell(standing: Standing, at: datetime) -> None:
    from services.cli.link_rows import COLUMNS, link_row
    from services.cli.printing import say, table
    from services.cli.spoken import agency_name, local_time, references_text

    later = f"; {standing.later:,} were recorded later" if standing.later else ""
    say(f"case {standing.view.case_id}, as known at {local_time(at)}{later}")
    if standing.into is not None:
        say(f"It had been merged into case {standing.into}.")
    rows = []
    for fact in _visible(standing):
        data = _shown(fact)
        plain = {k: v for k, v in data.items() if k != "dv" and isinstance(v, str | int | float | bool)}
        rows.append(
            (
                local_time(fact.occurred_at),
                local_time(fact.recorded_at),
                agency_name(fact.agency),
                fact.type if fact.id in standing.counting else f"{fact.type} (no longer counted)",
                ", ".join(f"{k} {v}" for k, v in plain.items()) or references_text(data),
                fact.id,
            )
        )
    table(("occurred", "recorded", "agency", "event", "open fields", "id"), rows, none="Nothing that may be shown.")
    say("")
    table(COLUMNS, [link_row(_link_form(link), at) for link in _links(standing)], none="No protocol links.")
