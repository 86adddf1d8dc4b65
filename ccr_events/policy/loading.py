"""Reading written policies: the packaged ones or a county's own directory, all errors at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.policy.book import LoadedDocument, PolicyBook, content_digest
from ccr_events.policy.compiling import compile_links
from ccr_events.policy.document import Document
from ccr_events.policy.problems import PolicyErrors, Problem, Report, listed
from ccr_events.policy.shape import shaped
from ccr_events.policy.source import Source, read_source
from ccr_events.policy.vocabulary import Vocabulary
from ccr_events.registry import EventType

MAX_DOCUMENTS = 500
"""Most documents in one directory."""


def load_policies(directory: Path | None = None, *, types: Mapping[str, EventType] | None = None) -> PolicyBook:
    """The policies of a directory (its `*.yaml`), or the packaged ones.

    `types` are the event types they may name (default: the whole contract). Raises `PolicyErrors` with every problem
    of every document, or `FileNotFoundError` when there is no such directory.
    """
    if directory is None and types is None:
        return _packaged()
    return _load(list(_sources(directory)), types or event_types(), str(directory or "the package"))


def read_document(raw: bytes, file: str, *, types: Mapping[str, EventType] | None = None) -> LoadedDocument:
    """One document on its own, checked and compiled; raises `PolicyErrors`."""
    return compile_source(read_source(raw, file), types=types)


def compile_source(source: Source, *, types: Mapping[str, EventType] | None = None) -> LoadedDocument:
    """One document as read, on its own, checked and compiled; raises `PolicyErrors`."""
    loaded, problems = _checked(source, Vocabulary(types or event_types()))
    if loaded is None or problems:
        raise PolicyErrors(problems)
    return loaded


@cache
def _packaged() -> PolicyBook:
    """The packaged book: immutable, so a process needs it once."""
    return _load(list(_sources(None)), event_types(), "the package")


def _sources(directory: Path | None) -> Iterator[tuple[str, bytes]]:
    if directory is None:
        for entry in sorted(files("ccr_events.policy").joinpath("documents").iterdir(), key=lambda e: e.name):
            if entry.name.endswith(".yaml"):
                yield entry.name, entry.read_bytes()
        return
    if not directory.is_dir():
        raise FileNotFoundError(f"there is no directory {directory}: name one that holds policy documents (*.yaml)")
    found = sorted(directory.glob("*.yaml"))
    if not found:
        raise FileNotFoundError(f"{directory} holds no policy documents: put *.yaml files in it")
    if len(found) > MAX_DOCUMENTS:
        raise PolicyErrors([Problem(str(directory), 1, 1, f"holds more than {MAX_DOCUMENTS} documents")])
    for path in found:
        yield str(path), path.read_bytes()


def _load(texts: Sequence[tuple[str, bytes]], types: Mapping[str, EventType], origin: str) -> PolicyBook:
    vocabulary = Vocabulary(types)
    problems: list[Problem] = []
    loaded: list[tuple[Source, LoadedDocument]] = []
    for file, raw in texts:
        try:
            source = read_source(raw, file)
        except PolicyErrors as error:
            problems += error.problems
            continue
        document, wrong = _checked(source, vocabulary)
        problems += wrong
        if document is not None:
            loaded.append((source, document))
    problems += _clashes(loaded)
    if problems:
        raise PolicyErrors(problems)
    return PolicyBook((document for _, document in loaded), origin)


def _checked(source: Source, vocabulary: Vocabulary) -> tuple[LoadedDocument | None, list[Problem]]:
    report = Report()
    loaded: LoadedDocument | None = None
    document = shaped(source.data, report)
    if document is not None:
        _check_document(document, report)
        links = compile_links(document, vocabulary, report)
        loaded = LoadedDocument(document, links, content_digest(source.data), source.file)
    return loaded, [source.problem(f.path, f.message, f.suggestion) for f in report.findings]


def _check_document(document: Document, report: Report) -> None:
    signed = {signature.agency for signature in document.signed_by}
    for agency, why in (
        (Agency.ADV, "the advocacy program has not signed"),
        (document.agency, "its agency has not signed"),
    ):
        if agency not in signed:
            report.at("signed_by").say(f"{why}: no policy is in force without it", f"add a sign-off by {agency.value}")
    for n, signature in enumerate(document.signed_by):
        if signature.on > document.effective:
            report.at("signed_by", n, "on").say("was signed after it took effect", "let it take effect later")
    seen: set[str] = set()
    for n, link in enumerate(document.links):
        if link.key in seen:
            report.at("links", n, "key").say(f"{link.key} is there twice", "give each link a key of its own")
        seen.add(link.key)


def _clashes(loaded: Sequence[tuple[Source, LoadedDocument]]) -> Iterator[Problem]:
    """What only shows when documents are seen together: versions out of order, keys used twice."""
    ordered = sorted(loaded, key=lambda pair: pair[1].document.version_order)
    versions: dict[str, LoadedDocument] = {}
    owners: dict[str, LoadedDocument] = {}
    for source, one in ordered:
        document, before = one.document, versions.get(one.document.policy)
        if before is not None and before.document.version_order == document.version_order:
            yield source.problem(("version",), f"{document.name} is also in {before.file}", "a change is a new version")
        elif before is not None and before.effective_at >= one.effective_at:
            yield source.problem(
                ("effective",),
                f"{document.name} takes effect no later than {before.document.name} ({before.document.effective})",
                "give the newer version a later date",
            )
        versions[document.policy] = one
        for n, link in enumerate(document.links):
            owner = owners.setdefault(link.key, one)
            if owner.document.policy != document.policy:
                yield source.problem(
                    ("links", n, "key"),
                    f"{link.key} is also a link of {owner.document.policy} ({owner.file})",
                    f"keys in use: {listed(owners, 60)}",
                )
