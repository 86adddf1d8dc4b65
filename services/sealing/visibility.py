"""Which agency may open which sealed fields: the matrix of `visibility.yaml`, read once and asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import KeyRing, ReadPurpose
from ccr_events.labels import Label

_FILE = Path(__file__).with_name("visibility.yaml")

_Rule = Literal["read", "le_referral"] | Annotated[tuple[ReadPurpose, ...], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Row(_Model):
    row: str
    label: Label
    types: frozenset[str] | None = None
    readers: dict[Agency, _Rule]


class _BreakGlass(_Model):
    agencies: frozenset[Agency]
    labels: frozenset[Label]
    review_within_h: int


class _SealedCourt(_Model):
    agencies: frozenset[Agency]
    purposes: frozenset[ReadPurpose]


class _Skeleton(_Model):
    labels: dict[Label, frozenset[Agency]]
    fields: dict[str, frozenset[Agency]]
    types: dict[str, frozenset[Agency]]


class Visibility(_Model):
    """The matrix."""

    mark: Literal["F", "K", "P"]
    source: str
    rows: tuple[_Row, ...]
    break_glass: _BreakGlass
    sealed_court: _SealedCourt
    skeleton: _Skeleton

    def row(self, label: Label, event_type: str) -> _Row | None:
        """The row that decides; None: nobody but the publisher reads it."""
        return next(
            (row for row in self.rows if row.label is label and (row.types is None or event_type in row.types)), None
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """One label of one event that an agency asks to open, and what bears on it."""

    label: Label
    event_type: str
    publisher: str
    ring: KeyRing
    involved: bool
    """The agency has a part in the case: see `services.sealing.involvement`."""
    le_referral: bool
    """Police referred the case to advocacy."""


@cache
def visibility() -> Visibility:
    """The matrix that ships with the backbone; raises pydantic's `ValidationError` when the file is malformed."""
    return Visibility.model_validate(YAML(typ="safe").load(_FILE))


def refusal(asked: Asked, agency: Agency, purpose: ReadPurpose, matrix: Visibility) -> str | None:
    """Why the agency may not open it for that purpose; None when it may."""
    if asked.ring is KeyRing.DESTROYED:
        return "was destroyed by order of a court"
    if asked.ring is KeyRing.SEALED_COURT:
        ruled = matrix.sealed_court
        if agency not in ruled.agencies or purpose not in ruled.purposes:
            return "is sealed by order of a court; only statutory readers open it"
    if agency == asked.publisher:
        return None
    if purpose is ReadPurpose.BREAK_GLASS:
        return _break_glass_refusal(asked, agency, matrix.break_glass)
    if not asked.involved:
        return (
            f"{agency.value} has no part in this case: it neither reported what others know of it nor owes or hears of "
            "a link in it"
        )
    return _row_refusal(asked, agency, purpose, matrix)


def _break_glass_refusal(asked: Asked, agency: Agency, rule: _BreakGlass) -> str | None:
    if agency not in rule.agencies:
        allowed = " and ".join(sorted(a.value for a in rule.agencies))
        return f"only {allowed} may break the glass, for an imminent threat"
    if asked.label not in rule.labels:
        return f"{asked.label.value} is not opened by breaking the glass"
    return None


def _row_refusal(asked: Asked, agency: Agency, purpose: ReadPurpose, matrix: Visibility) -> str | None:
    row = matrix.row(asked.label, asked.event_type)
    rule = None if row is None else row.readers.get(agency)
    if rule is None:
        return f"{agency.value} does not read {asked.label.value} of another agency's events"
    if rule == "read":
        return None
    if rule == "le_referral":
        return None if asked.le_referral else "is read by advocacy only in cases that police referred to it"
    if purpose in rule:
        return None
    return f"{agency.value} reads {asked.label.value} only for: {', '.join(p.value for p in rule)}"
