"""Pydantic's errors in our words: which field, which rule, what is allowed. Never what was submitted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

MAX_PROBLEMS = 50
"""Most problems told of one payload; a last entry says how many more there are."""
MAX_LISTED = 40
"""Most allowed values listed in one message."""
MAX_MATCHED = 64
"""Longest submitted text that is compared with the allowed words."""

_QUOTED = re.compile(r"'([^']*)'")
_PLAIN = {
    "missing": "is required",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "mapping_type": "must be a JSON object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "frozen_set_type": "must be a list",
    "set_type": "must be a list",
    "string_type": "must be text",
    "string_sub_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "decimal_type": "must be a decimal number",
    "decimal_parsing": "must be a decimal number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "none_required": "must be null",
    "date_type": "must be a date, such as 2026-03-01",
    "date_parsing": "must be a date, such as 2026-03-01",
    "date_from_datetime_parsing": "must be a date, such as 2026-03-01",
    "date_from_datetime_inexact": "must be a date without a time of day",
    "datetime_type": "must be a time with an offset, such as 2026-03-01T22:15:00Z",
    "datetime_parsing": "must be a time with an offset, such as 2026-03-01T22:15:00Z",
    "datetime_object_invalid": "must be a time with an offset, such as 2026-03-01T22:15:00Z",
    "datetime_from_date_parsing": "must be a time with an offset, such as 2026-03-01T22:15:00Z",
    "timezone_aware": "must state its offset from UTC, such as 2026-03-01T22:15:00Z",
    "time_type": "must be a time of day",
    "time_parsing": "must be a time of day",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "url_type": "must be a URL",
    "url_parsing": "must be a URL",
    "union_tag_not_found": "must say which kind it is",
    "union_tag_invalid": "must be of a known kind",
    "recursion_loop": "must not contain itself",
}
_LIMITED = {
    "string_too_short": ("must be at least {} characters", "min_length"),
    "string_too_long": ("must be at most {} characters", "max_length"),
    "string_pattern_mismatch": ("must match the pattern {}", "pattern"),
    "too_short": ("must have at least {} items", "min_length"),
    "too_long": ("must have at most {} items", "max_length"),
    "greater_than": ("must be more than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "multiple_of": ("must be a multiple of {}", "multiple_of"),
    "decimal_max_digits": ("must have at most {} digits", "max_digits"),
    "decimal_max_places": ("must have at most {} decimal places", "decimal_places"),
}


def problems_of(error: ValidationError, model: type[BaseModel], data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(pointer under `/data`, message) of each error, at most `MAX_PROBLEMS` and a count of the rest."""
    words = _words(model)
    found = error.errors(include_url=False)
    told = dict.fromkeys(_problem(details, words, data) for details in found[:MAX_PROBLEMS])
    if len(found) > MAX_PROBLEMS:
        told["/data", f"and {len(found) - MAX_PROBLEMS} more problems"] = None
    return tuple(told)


def _problem(details: ErrorDetails, words: frozenset[str], data: Mapping[str, Any]) -> tuple[str, str]:
    location = details["loc"]
    if details["type"] in ("extra_forbidden", "invalid_key"):
        pointer, _ = _pointer(location[:-1], words, data)
        return pointer, _unknown_field(str(location[-1]), words)
    pointer, whole = _pointer(location, words, data)
    message = _message(details)
    return (pointer, message) if whole else (pointer, f"has a key whose value {message}")


def _pointer(location: tuple[str | int, ...], words: frozenset[str], data: Any) -> tuple[str, bool]:
    """JSON pointer of a pydantic location, and whether it names all of it.

    Tags that pydantic adds for unions are skipped; at a key that is not a word of the contract the pointer
    ends, since the key is the submitter's text.
    """
    pointer, place = "/data", data
    for i, part in enumerate(location):
        last = i == len(location) - 1
        if isinstance(part, int) and isinstance(place, list):
            place = place[part] if part < len(place) else None
        elif isinstance(part, str) and isinstance(place, Mapping) and (part in place or last):
            if part not in words:
                return pointer, False
            place = place.get(part)
        else:
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer, True


def _message(details: ErrorDetails) -> str:
    kind = details["type"]
    limits = details.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _LIMITED:
        text, limit = _LIMITED[kind]
        return text.format(limits.get(limit))
    if kind in ("enum", "literal_error"):
        return _choice(str(limits.get("expected", "")), details["input"])
    literal = _literal_message(limits.get("error"))
    return literal if literal is not None else "breaks a rule of this event type; see its schema"


def _choice(expected: str, submitted: object) -> str:
    """What is allowed, and which of it the submitter may have meant."""
    allowed = _QUOTED.findall(expected) or expected.replace(" or ", ", ").split(", ")
    listed = ", ".join(allowed[:MAX_LISTED])
    more = f" … ({len(allowed)} in all, see the schema)" if len(allowed) > MAX_LISTED else ""
    return f"must be one of: {listed}{more}{_suggestion(submitted, allowed)}"


def _unknown_field(name: str, words: frozenset[str]) -> str:
    return f"has a field that this event type does not know{_suggestion(name, words)}"


def _suggestion(submitted: object, allowed: Collection[str]) -> str:
    """The allowed word nearest to what was submitted, if any is near; matching a long text would be slow."""
    if not isinstance(submitted, str) or len(submitted) > MAX_MATCHED:
        return ""
    near = get_close_matches(submitted, sorted(allowed), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _literal_message(error: object) -> str | None:
    """A validator's own message, when it is a literal of the validator's code and so can hold no input."""
    if not isinstance(error, Exception) or len(error.args) != 1 or not isinstance(error.args[0], str):
        return None
    trace = error.__traceback__
    while trace is not None:
        if error.args[0] in trace.tb_frame.f_code.co_consts:
            return error.args[0]
        trace = trace.tb_next
    return None


@cache
def _words(model: type[BaseModel]) -> frozenset[str]:
    """Every field name and enum value of a model and the models in it: words of the contract, safe to repeat."""
    words: set[str] = set()
    waiting, seen = [model], {model}
    while waiting:
        for name, info in waiting.pop().model_fields.items():
            words.add(name)
            for kind in _classes_in(info.annotation):
                if issubclass(kind, Enum):
                    words.update(str(member.value) for member in kind)
                elif issubclass(kind, BaseModel) and kind not in seen:
                    seen.add(kind)
                    waiting.append(kind)
    return frozenset(words)


def _classes_in(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _classes_in(inner)
