"""The numbers JTMP documents carry, and which series each belongs to.

A jail event has three: the jail's own arrest or folder number, the Sheriff's Control Number and the statewide Arrest
Tracking Number. All three point to the case; the last two are kept apart by their issuer.
"""

from __future__ import annotations

from ccr_events.payload import ReferenceKind
from services.adapters.niem.table import Number, Paths

CONTROL = "scn"
"""Issuer of Sheriff's Control Numbers."""
TRACKING = "atn"
"""Issuer of statewide Arrest Tracking Numbers."""


def incident(*paths: str) -> Number:
    """Police item number."""
    return Number(ReferenceKind.INCIDENT, paths)


def folder(*paths: str) -> Number:
    """The jail's own number of a booking."""
    return Number(ReferenceKind.BOOKING, paths)


def control(*paths: str) -> Number:
    """Sheriff's Control Number."""
    return Number(ReferenceKind.BOOKING, paths, CONTROL)


def tracking(*charges: str) -> Number:
    """Arrest Tracking Number, on each charge."""
    paths: Paths = tuple(
        f"{charge}/nola-ext:ChargeAugmentation/nola-ext:StatewideArrestTrackingNumber" for charge in charges
    )
    return Number(ReferenceKind.BOOKING, paths, TRACKING)


def docket(*paths: str) -> Number:
    """Court case number."""
    return Number(ReferenceKind.COURT_CASE, paths)


def order(*paths: str) -> Number:
    """Court order number."""
    return Number(ReferenceKind.ORDER, paths)
