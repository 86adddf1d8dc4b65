"""Arrest report of OJBC: the arrests of an incident report, without the incident itself."""

from __future__ import annotations

from dataclasses import replace

from ccr_events.agencies import Agency
from services.adapters.niem.ojbc.incident import ARREST
from services.adapters.niem.table import DocumentTable, Family

DOCUMENT = DocumentTable(
    family=Family.OJBC,
    root="ojbc:ArrestReport",
    title="Arrest report",
    agency=Agency.LE,
    events=(replace(ARREST, optional=False),),
)
