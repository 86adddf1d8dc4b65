"""Confidentiality labels: every payload field carries exactly one `Mark`.

A mark says what kind of information the field holds (`Label`) and whether it is *sealed*: encrypted at
intake and opened only at an authorized read. Codes, flags, times, agencies and references stay open, because
policies decide on them; names, places, narratives and risk answers are sealed.

Source: field sensitivity classes of the project's domain sheet, after VAWA 34 USC 12291(b)(2),
VOCA 28 CFR 94.115 and the CJIS Security Policy v6.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema


class Label(StrEnum):
    """What kind of information a field holds."""

    OPS = "OPS"  # operational: times, units, references, channel
    CJI = "CJI"  # criminal-justice information
    CHRI = "CHRI"  # history derived from NCIC/III returns
    VID = "VID"  # victim identity
    VLOC = "VLOC"  # victim location, phone, safe contact
    RISK = "RISK"  # a victim's risk answers
    ADV = "ADV"  # advocacy-confidential; never on the shared log without a live release
    CHILD = "CHILD"  # minors and child protection
    HLTH = "HLTH"  # injury, medical, mental health, substance use
    FIN = "FIN"  # financial
    AGG = "AGG"  # aggregate only


@dataclass(frozen=True, slots=True)
class Mark:
    """The confidentiality mark of one field; shown in the published schema as `x-ccr-label`, `x-ccr-sealed`."""

    label: Label
    sealed: bool

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the mark to the field's JSON Schema."""
        return {**handler(core), "x-ccr-label": self.label.value, "x-ccr-sealed": self.sealed}


def clear(label: Label) -> Mark:
    """Mark a field that stays readable on the log: a code, a flag, a time, a reference."""
    return Mark(label, sealed=False)


def sealed(label: Label) -> Mark:
    """Mark a field that is encrypted at intake and opened only at an authorized read."""
    return Mark(label, sealed=True)


OPS = clear(Label.OPS)
"""The commonest mark: operational and open."""
