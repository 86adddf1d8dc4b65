"""Paths of the tables: XPath's look, with steps that follow NIEM's references and associations.

`arrest/j:ArrestCharge/j:ChargeSequenceID`  a scope's name, then children; a reference is followed by itself
`document//j:OffenseDomesticViolenceIndicator`  anywhere below
`…/nc:Activity[nc:ActivityCategoryText~arrest]`  only those whose child's text has that word
`…/~digest:ArrestSubjectAssociation/nc:PersonReference`  by association: the association that refers to this
  element, then what it says of the others
`…/=ndex:Offense`  by sameness: the element that says it augments this one (LEXS `SameAsDigestReference`)
`…/^nc:CourtCase`  the nearest element of that name around what this one is or refers to
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from services.adapters.niem.document import Document, Element, text_of

Scopes = Mapping[str, Element]
"""Elements that paths start from, by the name the table gives them."""

MAX_FOUND = 512
"""Most elements one path may yield; a table reads far fewer."""

_STEP = re.compile(r"(?P<kind>[~=^]?)(?P<name>[\w-]+:\w+)(?:\[(?P<child>[\w-]+:\w+)~(?P<word>\w+)\])?")
_AROUND = 4
"""How far above the reference its association may be (`SameAsDigestReference` sits in an augmentation)."""


def find(document: Document, scopes: Scopes, path: str) -> list[Element]:
    """Elements at `path`, in document order of their parents, each once; none when the scope is absent."""
    start, *steps = path.split("/")
    found = [scopes[start]] if start in scopes else []
    deep = False
    origin: list[Element] = []
    for step in steps:
        if not step:
            deep = True
            continue
        origin, found = _step(document, found, origin, step, deep)
        deep = False
    return found


def human(path: str, scope_paths: Mapping[str, str]) -> str:
    """A table's path as a person reads it, from the document's root."""
    start, _, rest = path.partition("/")
    told = scope_paths.get(start, start)
    for step in rest.split("/") if rest else ():
        match = _STEP.fullmatch(step)
        if match is None or not match["kind"]:
            told += f"/{step}"
        elif match["kind"] == "^":
            told = _up_to(told, match["name"])
        else:
            told += f"/[{'by' if match['kind'] == '~' else 'same as'} {match['name']}]"
    return told


def _up_to(told: str, name: str) -> str:
    """The part of a path that ends with an element's name."""
    steps = told.split("/")
    return "/".join(steps[: steps.index(name) + 1]) if name in steps else f"//{name}"


def _step(
    document: Document, from_: list[Element], origin: list[Element], step: str, deep: bool
) -> tuple[list[Element], list[Element]]:
    """(where an association was entered from, what the step leads to)."""
    match = _STEP.fullmatch(step)
    if match is None:
        raise ValueError(f"a table has a step that is not understood: {step}")
    kind, name = match["kind"], match["name"]
    found: Iterable[Element]
    if kind == "~" or kind == "=":
        subjects = _distinct(document.resolved(e) for e in from_)
        found = (a for e in subjects for a in _around(document.referring(e), name))
        return (from_ if kind == "~" else []), _distinct(found)
    if kind == "^":
        found = (a for e in from_ for a in _enclosing(document.resolved(e), name))
        return [], _distinct(found)
    tag = _tag(name)
    if deep:
        found = (d for e in from_ for d in e.iterdescendants(tag))
    else:
        found = (c for e in from_ for c in document.children(e) if c.tag == tag)
    if origin:
        found = (e for e in found if not any(document.refers_to(e, o) for o in origin))
    if match["child"]:
        found = (e for e in found if _has_word(document, e, match["child"], match["word"]))
    return [], _distinct(found)


def _around(references: Iterable[Element], name: str) -> Iterator[Element]:
    tag = _tag(name)
    for reference in references:
        for level, ancestor in enumerate(reference.iterancestors()):
            if level == _AROUND:
                break
            if ancestor.tag == tag:
                yield ancestor
                break


def _enclosing(element: Element, name: str) -> Iterator[Element]:
    tag = _tag(name)
    yield from (a for a in (element, *element.iterancestors()) if a.tag == tag)


def _has_word(document: Document, element: Element, child: str, word: str) -> bool:
    tag = _tag(child)
    return any(word in text_of(c).casefold().split() for c in document.children(element) if c.tag == tag)


def _distinct(elements: Iterable[Element]) -> list[Element]:
    seen: dict[Element, None] = {}
    for element in elements:
        seen.setdefault(element)
        if len(seen) == MAX_FOUND:
            break
    return list(seen)


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{prefix}}}{local}"
