"""Drafts: versions of written policies that nobody has signed yet, put in the place of those that were in force.

A draft is a document like any other, only that its sign-off may still be missing. `DraftBook` answers for every edition
as it was, and beside it for the same edition with the drafts in it: a fact stamped with the one or the other is judged
by what it is stamped with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ccr_events.agencies import Agency
from ccr_events.core.rules import Rule
from ccr_events.policy.book import CompiledEdition, LoadedDocument, PolicyBook, content_digest
from ccr_events.policy.loading import compile_source
from ccr_events.policy.problems import PolicyErrors, Problem, listed, nearest
from ccr_events.policy.source import Source, read_source

DRAFTED = "+draft"
"""What the id of an edition with drafts in it ends with. It is never stamped on an event."""
_LONG_AGO = date(1970, 1, 1)
_TO_BE_SIGNED = "To be signed"


class DraftRefused(ValueError):
    """A draft that says nothing new, or is of no policy there is; says what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft beside the version it would follow."""

    loaded: LoadedDocument
    newest: LoadedDocument
    """The newest version there is."""


def read_drafts(texts: Iterable[tuple[str, bytes]], book: PolicyBook) -> tuple[Draft, ...]:
    """Drafts from (file, text), checked against the policies there are; documents that are among these are left out.

    Raises `PolicyErrors` with the line of everything that is wrong, and `DraftRefused` when a draft is of an unknown
    policy or when nothing is new.
    """
    known = {one.digest for one in book.loaded}
    problems: list[Problem] = []
    read: list[tuple[Source, LoadedDocument]] = []
    same: list[str] = []
    for file, raw in texts:
        try:
            source = read_source(raw, file)
            if content_digest(source.data) in known:
                same.append(file)
                continue
            read.append((source, compile_source(replace(source, data=_as_if_signed(source.data)))))
        except PolicyErrors as error:
            problems += error.problems
    for source, loaded in read:
        if loaded.document.policy not in {one.document.policy for one in book.loaded}:
            raise DraftRefused(_unknown(loaded, book))
        problems += _misplaced(source, loaded, [other for _, other in read], book)
    if problems:
        raise PolicyErrors(problems)
    if not read:
        raise DraftRefused(
            f"{listed(same, 5)}: is among the policies, word for word, so nothing would change; draft a new version"
        )
    return tuple(Draft(loaded, newest_of(loaded.document.policy, book)) for _, loaded in read)


def newest_of(policy: str, book: PolicyBook) -> LoadedDocument:
    """The newest version of a policy; raises `LookupError`."""
    document = book.document(policy)
    return next(one for one in book.loaded if one.document is document)


def drafted(edition_id: str) -> str:
    """The id of an edition with the drafts in it."""
    return f"{edition_id}{DRAFTED}"


class DraftBook:
    """All editions, as they were and with drafts in them. Implements `ccr_events.core.rules.Policies`."""

    def __init__(self, book: PolicyBook, drafts: Sequence[Draft]) -> None:
        self.book = book
        self.drafts = tuple(drafts)
        new = {draft.loaded.document.policy: draft.loaded for draft in drafts}
        self._drafted = {
            drafted(edition.id): CompiledEdition(
                drafted(edition.id),
                edition.since,
                tuple(new.get(one.document.policy, one) for one in edition.loaded),
            )
            for edition in book.editions
        }

    def edition(self, edition_id: str) -> CompiledEdition:
        """The edition with this id; raises `UnknownEdition`."""
        return self._drafted.get(edition_id) or self.book.edition(edition_id)

    def newest_rule(self, key: str) -> Rule | None:
        """A rule by its key: as drafted, else as it is, in the newest edition that has it."""
        for edition in reversed(self.book.editions):
            for found in (self.edition(drafted(edition.id)), edition):
                if key in found.links:
                    return found.rule(key)
        return None


def _as_if_signed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with the sign-offs that are still missing, so that nothing but the draft itself is judged."""
    signed = data.get("signed_by", [])
    if not isinstance(signed, list):
        return dict(data)
    there = {one.get("agency") for one in signed if isinstance(one, dict)}
    needed = [agency for agency in dict.fromkeys([Agency.ADV.value, data.get("agency")]) if agency in set(Agency)]
    missing = [{"agency": a, "title": _TO_BE_SIGNED, "on": _LONG_AGO} for a in needed if a not in there]
    return {**data, "signed_by": [*signed, *missing]}


def _unknown(loaded: LoadedDocument, book: PolicyBook) -> str:
    policies = {one.document.policy for one in book.loaded}
    hint = nearest(loaded.document.policy, policies) or f"there are {listed(policies, 40)}"
    return f"{loaded.file}: there is no policy {loaded.document.policy} that it could replace; {hint}"


def _misplaced(
    source: Source, loaded: LoadedDocument, drafts: Sequence[LoadedDocument], book: PolicyBook
) -> Iterable[Problem]:
    """What only shows beside the policies there are: a version or a date that is not new, another policy's key."""
    document, newest = loaded.document, newest_of(loaded.document.policy, book)
    if document.version_order <= newest.document.version_order:
        yield source.problem(
            ("version",), f"is not newer than {newest.document.name}, which is there", "a change is a new version"
        )
    if loaded.effective_at <= newest.effective_at:
        yield source.problem(
            ("effective",),
            f"takes effect no later than {newest.document.name} ({newest.document.effective})",
            "give the draft a later date",
        )
    twice = [other for other in drafts if other is not loaded and other.document.policy == document.policy]
    if twice:
        yield source.problem(("policy",), f"{document.policy} is also drafted in {twice[0].file}", "try one at a time")
    others = {one.document.policy: one for one in book.loaded if one.document.policy != document.policy}
    others |= {one.document.policy: one for one in drafts if one.document.policy != document.policy}
    owners = {link.key: one for one in others.values() for link in one.document.links}
    for n, link in enumerate(document.links):
        if link.key in owners:
            owner = owners[link.key]
            yield source.problem(
                ("links", n, "key"),
                f"{link.key} is also a link of {owner.document.policy} ({owner.file})",
                "give each link a key of its own",
            )
