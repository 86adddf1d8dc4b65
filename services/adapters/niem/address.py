"""An address element of any NIEM release to one line of text. The line is sealed wherever it goes."""

from __future__ import annotations

from collections.abc import Sequence

from ccr_events.placeholders import is_placeholder
from services.adapters.niem.document import Document, Element, text_of
from services.adapters.niem.paths import find

MAX_ADDRESS = 500

_FULL = ("nc:AddressFullText", "nc:LocationFullText")
_STREETS = ("nc:AddressStreet", "nc:LocationStreet")
_STREET_PARTS: tuple[Sequence[str], ...] = (
    ("nc:StreetNumberText",),
    ("nc:StreetPredirectional/nc:StreetDirectionalText", "nc:StreetPredirectionalText"),
    ("nc:StreetName",),
    ("nc:StreetCategoryText",),
    ("nc:StreetPostdirectional/nc:StreetDirectionalText", "nc:StreetPostdirectionalText"),
)
_REST: tuple[Sequence[str], ...] = (
    ("nc:AddressSecondaryUnitText",),
    ("nc:AddressCityName", "nc:LocationCityName"),
    (
        "nc:AddressState/nc:StateName",
        "nc:AddressState/ncic:StateUSCode",
        "nc:LocationStateName",
        "nc:LocationStateUSPostalServiceCode",
        "nc:LocationStateNCICLISCode",
        "j:LocationStateNCICLISCode",
    ),
    ("nc:AddressPostalCode", "nc:LocationPostalCode"),
)


def address_line(document: Document, element: Element) -> str:
    """Street, unit, city, state, code, as far as they are there; empty when nothing is."""
    full = _first(document, element, _FULL)
    street = _street(document, element)
    rest = [_first(document, element, paths) for paths in _REST]
    parts = [full] if full else [street, *rest]
    return ", ".join(part for part in parts if part)[:MAX_ADDRESS]


def _street(document: Document, element: Element) -> str:
    for name in _STREETS:
        for street in find(document, {"at": element}, f"at/{name}"):
            full = _first(document, street, ("nc:StreetFullText",))
            parts = [_first(document, street, paths) for paths in _STREET_PARTS]
            line = full or " ".join(part for part in parts if part)
            if line:
                return line
    return ""


def _first(document: Document, element: Element, paths: Sequence[str]) -> str:
    for path in paths:
        for found in find(document, {"at": element}, f"at/{path}"):
            text = text_of(found)
            if text and not is_placeholder(text):
                return text
    return ""
