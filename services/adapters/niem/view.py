"""One document being read: its scopes, the texts at a table's paths, and what there is to warn of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ccr_events.placeholders import is_placeholder
from services.adapters.niem.conversions import Conversion, Converted
from services.adapters.niem.document import Document, Element, text_of
from services.adapters.niem.domestic import DomesticCharges
from services.adapters.niem.paths import find, human
from services.adapters.niem.table import Condition, Paths

MAX_WARNINGS = 100
"""Most different warnings told of one document."""
MAX_ALTERNATIVES = 2
"""Most other places named beside the first where a fact may be; docs/niem.md names all."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What reading depends on besides the document."""

    received_at: datetime
    """Aware UTC."""
    zone: ZoneInfo
    """Zone of times that state no offset."""
    domestic: DomesticCharges
    samples: bool
    """Whether a number that holds a placeholder is made up, so that published samples can be tried."""


@dataclass(slots=True)
class Warnings:
    """What was left out or assumed, each told once with its count."""

    told: Counter[str] = field(default_factory=Counter)
    placeholders: set[Element] = field(default_factory=set)
    timed_by_receipt: bool = False
    """Whether the time of receipt stood in for that of an act."""

    def tell(self, text: str) -> None:
        """Note one."""
        if text in self.told or len(self.told) < MAX_WARNINGS:
            self.told[text] += 1

    def lines(self) -> tuple[str, ...]:
        """In the order they came up."""
        lines = [text if count == 1 else f"{text} ({count} times)" for text, count in self.told.items()]
        if self.placeholders:
            lines.append(f"{len(self.placeholders)} mapped elements hold a placeholder such as 'string': left out")
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class View:
    """A document seen from some scopes."""

    document: Document
    settings: Settings
    warnings: Warnings
    scopes: dict[str, Element]
    places: dict[str, str]
    """Each scope's path as a person reads it."""

    def at(self, scope: str, element: Element, place: str) -> View:
        """The same with one more scope."""
        return replace(self, scopes={**self.scopes, scope: element}, places={**self.places, scope: place})

    def elements(self, paths: Paths) -> list[Element]:
        """What the first path leads to that leads anywhere."""
        return next((found for path in paths if (found := find(self.document, self.scopes, path))), [])

    def texts(self, path: str) -> Iterator[str]:
        """Texts at one path that are neither empty nor a placeholder."""
        for element in find(self.document, self.scopes, path):
            text = text_of(element)
            if is_placeholder(text):
                self.warnings.placeholders.add(element)
            elif text:
                yield text

    def first(self, paths: Paths) -> tuple[str, str] | None:
        """(path, text) of the first that is there."""
        return next(((path, text) for path in paths for text in self.texts(path)), None)

    def convert(self, path: str, text: str, conversion: Conversion) -> Converted | None:
        """The text's value; None, with a warning, when it has none."""
        found = conversion.convert(text, self.settings.zone)
        if found is None:
            self.warnings.tell(f"{self.human(path)}: is no {conversion.name} that is known: left out")
        elif found.doubt:
            self.warnings.tell(f"{self.human(path)}: {found.doubt}")
        return found

    def holds(self, condition: Condition) -> bool:
        """Whether a condition holds here."""
        found = (
            value
            for path in condition.paths
            for text in self.texts(path)
            if (value := condition.convert.convert(text, self.settings.zone)) is not None
        )
        met = any(not condition.values or value.value in condition.values for value in found)
        return met != condition.negated

    def human(self, path: str) -> str:
        """A path from the document's root, as a person reads it."""
        return human(path, self.places)

    def human_all(self, paths: Paths) -> str:
        """Alternatives in words."""
        first, *others = (self.human(path) for path in paths)
        told = " or ".join(others[:MAX_ALTERNATIVES])
        more = f" or {len(others) - MAX_ALTERNATIVES} other places" if len(others) > MAX_ALTERNATIVES else ""
        return f"{first} (or {told}{more})" if others else first

    def has_placeholder(self, paths: Paths) -> bool:
        """Whether an element is there that holds a placeholder."""
        return any(is_placeholder(text_of(e)) for path in paths for e in find(self.document, self.scopes, path))
