"""Referrals to the program, and what it may say back: received, on call assigned, no capacity; nothing of a person."""

from __future__ import annotations

from collections.abc import Sequence

from services.simulator.casefile import CaseFile

NO_CAPACITY = 0.02
"""Referrals that the program has nobody for [P]."""


def refer(file: CaseFile, agency: str, at: int, urgency: str, reason: str, kinds: Sequence[str]) -> None:
    """An agency asks the program to reach out; the program answers."""
    data = {"urgency": urgency, "reason": reason, "legal_basis": "policy"}
    contact = file.pair.parties[1].get("safe_contact")
    if contact is not None:
        data["safe_contact"] = contact
    referral = file.act(agency, "referral.advocacy_sent", at, kinds, data)
    if file.draws.chance(NO_CAPACITY):
        _answered(file, file.done("adv received", at), "declined_capacity", referral, kinds)
        return
    _answered(file, file.done("adv received", at), "received", referral, kinds)
    if urgency != "routine":
        _answered(file, file.done("adv assigned", at), "on_call_assigned", referral, kinds)


def _answered(file: CaseFile, at: int | None, status: str, referral: str, kinds: Sequence[str]) -> None:
    if at is not None:
        file.act("adv", "referral.advocacy_accepted", at, kinds, {"status": status, "referral": referral})
