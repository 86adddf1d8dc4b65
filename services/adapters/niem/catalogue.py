"""Every document type that is known, by its root element."""

from __future__ import annotations

from types import MappingProxyType

from services.adapters.niem.jtmp import (
    arrest,
    bond_update,
    booking,
    case_initiation,
    charge_filing,
    court_event,
    court_order,
)
from services.adapters.niem.jtmp import no_event as jtmp_no_event
from services.adapters.niem.ojbc import arrest_report, custody_release, incident
from services.adapters.niem.ojbc import booking as ojbc_booking
from services.adapters.niem.ojbc import no_event as ojbc_no_event
from services.adapters.niem.table import DocumentTable

DOCUMENTS: tuple[DocumentTable, ...] = (
    arrest.DOCUMENT,
    booking.DOCUMENT,
    charge_filing.DOCUMENT,
    case_initiation.DOCUMENT,
    court_event.DOCUMENT,
    court_order.DOCUMENT,
    bond_update.DOCUMENT,
    *jtmp_no_event.DOCUMENTS,
    incident.DOCUMENT,
    incident.UPDATE,
    arrest_report.DOCUMENT,
    ojbc_booking.DOCUMENT,
    custody_release.DOCUMENT,
    *ojbc_no_event.DOCUMENTS,
)

BY_ROOT = MappingProxyType({table.root: table for table in DOCUMENTS})
"""Tables by the name of the root element."""
