"""All written policies ever in force, and the editions they make: what the core and every service ask."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from functools import cached_property
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from ccr_events.core.plan import plan_of
from ccr_events.core.rules import Plan, Rule
from ccr_events.policy.compiling import CompiledLink
from ccr_events.policy.document import Document
from ccr_events.policy.written_link import WrittenLink


class UnknownEdition(LookupError):
    """No such edition among the policies that are loaded; the message says what to do."""


class UnknownRule(LookupError):
    """No such rule in an edition."""


class UnknownPolicy(LookupError):
    """No such policy, or no such version of it."""


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document that may be put in force, with its links compiled."""

    document: Document
    links: tuple[CompiledLink, ...]
    digest: str
    """SHA-256 of its content, whatever its comments and layout."""
    file: str

    @property
    def effective_at(self) -> datetime:
        """Midnight of its first day, local time, as a UTC instant."""
        zone = ZoneInfo(self.document.jurisdiction.timezone)
        return datetime.combine(self.document.effective, time(0), zone).astimezone(UTC)


@dataclass(frozen=True)
class CompiledEdition:
    """The policies in force from one instant on. Implements `ccr_events.core.rules.Edition`."""

    id: str
    since: datetime
    loaded: tuple[LoadedDocument, ...] = field(repr=False)

    @cached_property
    def links(self) -> Mapping[str, CompiledLink]:
        """Rule key → the compiled link, its rule stamped with this edition."""
        return {
            link.rule.key: replace(link, rule=replace(link.rule, edition=self.id))
            for one in self.loaded
            for link in one.links
        }

    @cached_property
    def by_trigger(self) -> Mapping[str, Sequence[Rule]]:
        """Trigger event type → rules, by key."""
        found: dict[str, list[Rule]] = {}
        for _, link in sorted(self.links.items()):
            for name in sorted(link.rule.trigger_types):
                found.setdefault(name, []).append(link.rule)
        return {name: tuple(rules) for name, rules in found.items()}

    @cached_property
    def plan(self) -> Plan:
        """What an event of a type can change."""
        return plan_of(link.rule for link in self.links.values())

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents in force, by policy name."""
        return tuple(one.document for one in self.loaded)

    def rule(self, key: str) -> Rule:
        """The rule; raises `UnknownRule`."""
        return self.link(key).rule

    def link(self, key: str) -> CompiledLink:
        """The rule with its written form; raises `UnknownRule`."""
        found = self.links.get(key)
        if found is None:
            raise UnknownRule(f"edition {self.id} has no link {key}; it has {', '.join(sorted(self.links))}")
        return found

    def written(self, key: str) -> WrittenLink:
        """The link as written: sources, ladder, phone tree; raises `UnknownRule`."""
        return self.link(key).written


class PolicyBook:
    """Every loaded policy document and the editions they make. Implements `ccr_events.core.rules.Policies`."""

    def __init__(self, loaded: Iterable[LoadedDocument], origin: str) -> None:
        """`origin` says in errors where the documents come from."""
        self.loaded = tuple(sorted(loaded, key=lambda one: (one.document.policy, one.document.version_order)))
        self.origin = origin
        self._editions = _editions(self.loaded)
        self._by_id = {edition.id: edition for edition in self._editions}

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents, by policy and version."""
        return tuple(one.document for one in self.loaded)

    @property
    def editions(self) -> tuple[CompiledEdition, ...]:
        """All editions, oldest first."""
        return self._editions

    def edition(self, edition_id: str) -> CompiledEdition:
        """The edition stamped on an event; raises `UnknownEdition`."""
        found = self._by_id.get(edition_id)
        if found is None:
            raise UnknownEdition(
                f"policy edition {edition_id} is not among the policies of {self.origin}, which make up "
                f"{', '.join(self._by_id) or 'none'}. Events were judged by it, so put back the documents it was made "
                "of: a published version is never edited, a change is a new version with a later effective date."
            )
        return found

    def edition_at(self, at: datetime) -> CompiledEdition:
        """The edition in force at an aware instant; raises `UnknownEdition` before the first."""
        found = None
        for edition in self._editions:
            if edition.since > at:
                break
            found = edition
        if found is None:
            first = self._editions[0].since.isoformat() if self._editions else "never"
            raise UnknownEdition(
                f"no policy of {self.origin} is in force at {at.isoformat()}; the first takes effect: {first}. "
                "Add a document with an earlier effective date."
            )
        return found

    def document(self, policy: str, version: str | None = None) -> Document:
        """A document by policy and version (default: its newest); raises `UnknownPolicy`."""
        versions = [d for d in self.documents if d.policy == policy]
        found = [d for d in versions if version in (None, d.version)]
        if not found:
            known = ", ".join(d.version for d in versions) or ", ".join(sorted({d.policy for d in self.documents}))
            what = f"{policy} {version}" if version and versions else policy
            raise UnknownPolicy(f"there is no policy {what}; there is {known}")
        return found[-1]


def content_digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of a document's content: comments, layout and the order of keys do not count."""
    return sha256(json.dumps(data, sort_keys=True, default=str, separators=(",", ":")).encode()).hexdigest()


def _editions(loaded: Sequence[LoadedDocument]) -> tuple[CompiledEdition, ...]:
    editions = []
    for since in sorted({one.effective_at for one in loaded}):
        newest: dict[str, LoadedDocument] = {}
        for one in loaded:  # in order of version within a policy
            if one.effective_at <= since:
                newest[one.document.policy] = one
        in_force = tuple(one for _, one in sorted(newest.items()))
        editions.append(CompiledEdition(_edition_id(in_force), since, in_force))
    return tuple(editions)


def _edition_id(in_force: Sequence[LoadedDocument]) -> str:
    """`<effective date of the newest change>-<8 hex digits over (policy, version, content)>`."""
    newest = max(one.document.effective for one in in_force)
    parts = sorted(f"{one.document.policy} {one.document.version} {one.digest}" for one in in_force)
    return f"{newest.isoformat()}-{sha256(chr(10).join(parts).encode()).hexdigest()[:8]}"
