"""A document's data → `Document` (or another model), or what is wrong with its shape, in a writer's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ccr_events.policy.document import Document
from ccr_events.policy.problems import Finding, Path, Report, listed, nearest

M = TypeVar("M", bound=BaseModel)
_PATTERNS = {
    "policy": "a short name in lower case, such as civil-court",
    "version": "three numbers in the manner of 1.2.0",
    "key": "letters, two or three digits and perhaps a letter, such as L17 or L17a",
    "role": "a role in lower case letters, such as patrol sergeant: never a worker's name or number",
    "country": "a two-letter country code, such as US",
    "subdivision": "the code of a state or province, such as MN",
    "type": "an event type, such as arrest.made",
}
_PLAIN = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list",
    "model_type": "must be a group of `word: value` lines",
    "model_attributes_type": "must be a group of `word: value` lines",
    "date_type": "must be a date, such as 2026-01-01",
}


def shaped(data: Mapping[str, Any], report: Report) -> Document | None:
    """The document, or None with every fault of its shape in the report."""
    return fitted(data, report, Document)


def fitted(data: Mapping[str, Any], report: Report, model: type[M]) -> M | None:
    """The same for any model of written `word: value` lines."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        report.findings += [_finding(details, data, model) for details in found if not _follows(details, found)]
    return None


def _follows(details: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """Whether a list only counts as too short because an entry of it is wrong."""
    at = details["loc"]
    return details["type"] == "too_short" and any(d["loc"][: len(at)] == at and len(d["loc"]) > len(at) for d in found)


def _finding(details: ErrorDetails, data: Mapping[str, Any], model: type[BaseModel]) -> Finding:
    path, kind = _place(details["loc"], data), details["type"]
    word = str(path[-1]) if path else ""
    if kind == "missing":
        return Finding(path[:-1] if path else (), f"`{details['loc'][-1]}` is missing", f"add  {details['loc'][-1]}:")
    if kind == "extra_forbidden":
        known = _known_words(details["loc"][:-1], model)
        hint = nearest(word, known) or f"known here: {listed(known)}"
        return Finding(path, f"`{word}` is not a word that is known here", hint)
    return Finding(path, f"`{_named(path)}` {_message(details, path)}", _hint(details))


def _message(details: ErrorDetails, path: Path) -> str:
    kind, limits = details["type"], details.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return f"must be {_PATTERNS.get(_named(path), 'one line of plain words')}"
    if kind == "value_error":
        return str(limits.get("error", "is wrong"))
    if kind in ("enum", "literal_error"):
        return f"must be {limits.get('expected', 'something else')}".replace("'", "")
    if kind == "string_type" and _named(path) == "version":
        return 'must be text: put it in quotes, such as "1.0.0"'
    if kind in ("too_short", "string_too_short"):
        return f"is too short: at least {_counted(kind, limits.get('min_length'))}"
    if kind in ("too_long", "string_too_long"):
        return f"is too long: at most {_counted(kind, limits.get('max_length'))}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"must be at {'least' if kind.startswith('g') else 'most'} {limits.get('ge', limits.get('le'))}"
    return _PLAIN.get(kind, details["msg"].lower())


def _counted(kind: str, number: object) -> str:
    if kind.startswith("string"):
        return f"{number} characters"
    return "1 entry" if number == 1 else f"{number} entries"


def _hint(details: ErrorDetails) -> str:
    if details["type"] in ("enum", "literal_error"):
        expected = str(details.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "")
        return nearest(str(details["input"]), expected.split(", "))
    return ""


def _named(path: Path) -> str:
    """The last word of a path; for an entry of a list, the list's."""
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "document")


def _place(location: Iterable[str | int], data: Any) -> Path:
    """Pydantic's location without the tags it adds for alternatives."""
    return tuple(step for step in location if not (isinstance(step, str) and step.startswith("<")))


def _known_words(location: tuple[str | int, ...], model: type[BaseModel]) -> set[str]:
    """The words that may stand at a location of a document; a key that its writer chose leads no further."""
    models: set[type[BaseModel]] = {model}
    for step in location:
        if isinstance(step, str) and not step.startswith("<"):
            fields = [m.model_fields[n] for m in models for n in m.model_fields if step in (n, m.model_fields[n].alias)]
            models = {inner for info in fields for inner in _models_in(info.annotation)} if fields else models
    return {info.alias or name for model in models for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from _models_in(inner)
