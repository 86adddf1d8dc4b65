"""OJBC messages that tell no event of the contract. They are recognised, named and left out."""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.table import DocumentTable, Family

DOCUMENTS = (
    DocumentTable(
        Family.OJBC,
        "ojbc:CustodyStatusChangeReport",
        "Custody status change report",
        Agency.JAIL,
        skipped="a change of housing, bond or hold inside the jail; booking and release come as their own reports",
    ),
)
