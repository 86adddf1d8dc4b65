"""What several parts of a history do with an order: enter it in the registry, collect firearms under it."""

from __future__ import annotations

from services.simulator.casefile import CaseFile, office
from services.simulator.draws import DAY

NO_CONTACT_CODES = ("01", "04", "05")
ORDER_TEXT = "Invented text of an order that no court made."


def entered(file: CaseFile, order: str, at: int, kinds: tuple[str, ...]) -> None:
    """The registry enters an order, some only after it was refused for missing data."""
    entered_at = file.done("reg entry", at)
    if entered_at is None:
        return
    if file.draws.chance(file.odds.entry_rejected):
        missing = {"file": "POF", "missing": ["respondent_height", "respondent_hair"]}
        file.act("reg", "order.entry_rejected", entered_at, (*kinds, order), missing)
        entered_at = file.then("reg repair", entered_at)
    nic_no = {"file": "POF", "nic_no": f"H{file.draws.whole(0, 999_999_999):09d}"}
    file.act("reg", "order.entered_registry", entered_at, (*kinds, order), nic_no)


def firearms_ordered(file: CaseFile, agency: str, at: int, kinds: tuple[str, ...]) -> None:
    """A court orders firearms to be given up; they are, with proof, or they are not."""
    draws = file.draws
    count = draws.whole(1, 4)
    ordered = {"count": count, "due_by": file.text(office(at + 3 * DAY))}
    file.act(agency, "firearm.order_made", at, kinds, ordered)
    if draws.chance(file.odds.firearms_kept):
        file.act("le", "firearm.noncompliance", office(at + 6 * DAY), kinds, {"kind": "not_transferred"})
        return
    given_up_at = office(file.then("le firearms", at))
    handed = {"count": count, "recipient": "le"}
    file.act("le", "firearm.surrendered", given_up_at, kinds, dict(handed))
    file.act(agency, "firearm.proof_filed", office(given_up_at + draws.whole(3600, 2 * DAY)), kinds, dict(handed))
