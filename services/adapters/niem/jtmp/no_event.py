"""JTMP messages that tell no event of the contract. They are recognised, named and left out."""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.table import DocumentTable, Family

DOCUMENTS = (
    DocumentTable(
        Family.JTMP,
        "nola:AsynchronousResponseMessage",
        "Asynchronous response",
        Agency.CCR,
        skipped="a system's receipt for a message it was sent; it tells nothing of a case",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:ChargeTableUpdateMessage",
        "Uniform charge table update",
        Agency.CRIM,
        skipped="a change of the shared list of charges; it tells nothing of a case",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:EntityUpdateExchange",
        "Entity update",
        Agency.CRIM,
        skipped="a change of a person's particulars in a court file; the contract has no event for it",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:ChargeUpdateExchange",
        "Charge update",
        Agency.CRIM,
        skipped="a change of a charge's particulars; file new charges or a dismissal as charge filing",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:CaseActivityUpdateExchange",
        "Case activity update",
        Agency.CRIM,
        skipped="a minute entry of a court file; hearings and orders come as court event and court order",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:SubpoenaExchange",
        "Subpoena",
        Agency.CRIM,
        skipped="a summons to a witness; the contract has no event for it",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:UniformCommitmentOderMessage",
        "Uniform commitment order",
        Agency.CRIM,
        skipped="a commitment after sentence in a form that is not mapped yet; publish `sentence.imposed`",
    ),
    DocumentTable(
        Family.JTMP,
        "nola:JuvenileAdmissionExchange",
        "Juvenile admission",
        Agency.JAIL,
        skipped="a juvenile's admission; juvenile records are kept out of the backbone",
    ),
)
