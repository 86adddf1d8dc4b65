"""A violation before the court that supervises him: alleged, heard, answered.

Source: protocol links 29 and 35 of the domain sheet.
"""

from __future__ import annotations

from services.simulator.casefile import CaseFile, Story, office
from services.simulator.draws import DAY, HOUR, shares

_OUTCOMES = shares([("sanction", 0.45), ("reinstated", 0.3), ("revoked", 0.1), ("dismissed", 0.15)])
_SANCTIONS = shares([("warning", 0.3), ("jail", 0.3), ("community_work", 0.1), ("added_conditions", 0.3)])
_COURT = ("court",)


def violation(under: CaseFile, at: int, kind: str, *, agency: str = "prob") -> Story:
    """`under`: the court file he is supervised under. The outcome is left in `under.told["violation"]`."""
    draws = under.draws
    facts = {"kind": kind, "facts": "Invented facts of an invented violation."}
    under.act(agency, "violation.alleged", at, _COURT, facts)
    set_at = under.done("crim setting", office(at))
    heard_at = office(under.then("crim violation hearing", at))
    if set_at is not None and (set_at := office(set_at)) < heard_at:
        data = {"kind": "violation", "at": under.text(heard_at), "room": "2"}
        under.act("crim", "hearing.scheduled", set_at, _COURT, data)
        if (told_at := under.done("pros notice", set_at)) is not None:
            notice = {"notices": ["violation_hearing"], "channel": "phone"}
            under.act("pros", "victim.notice_given", office(told_at), _COURT, notice)
    yield heard_at
    under.act("crim", "hearing.held", heard_at, _COURT, {"kind": "violation", "at": under.text(heard_at)})
    if draws.chance(0.15):
        heard_at = office(heard_at + draws.whole(7 * DAY, 28 * DAY))
        moved = {"kind": "violation", "at": under.text(heard_at)}
        under.act("crim", "hearing.continued", office(heard_at - 7 * DAY), _COURT, moved)
        yield heard_at
    outcome = draws.pick(_OUTCOMES)
    under.told["violation"] = outcome
    disposed = {"outcome": outcome}
    if outcome == "sanction":
        disposed["sanction"] = draws.pick(_SANCTIONS)
    under.act("crim", "violation.disposed", heard_at + HOUR, _COURT, disposed)
