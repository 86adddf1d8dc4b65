from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ccr_events.schemas.compat import breaks
from ccr_events.schemas.payload import payload_schema
from tests.support.contract import SAMPLE

PUBLISHED: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "x-ccr-publishers": ["jail", "le"],
    "x-ccr-victim-act": False,
    "x-ccr-computed": {"grave": {"type": "boolean", "readOnly": True}},
    "required": ["kind"],
    "$defs": {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "Name": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"surname": {"type": "string", "maxLength": 9, "x-ccr-label": "VID", "x-ccr-sealed": True}},
            "required": ["surname"],
        },
        "Tree": {"type": "object", "properties": {"under": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}}},
    },
    "properties": {
        "kind": {"$ref": "#/$defs/Kind", "x-ccr-label": "OPS", "x-ccr-sealed": False},
        "name": {"anyOf": [{"$ref": "#/$defs/Name"}, {"type": "null"}], "default": None},
        "names": {"type": "array", "items": {"$ref": "#/$defs/Name"}, "minItems": 1, "maxItems": 4},
        "code": {"type": "string", "pattern": "^a+$", "minLength": 1},
        "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "tree": {"$ref": "#/$defs/Tree"},
    },
}


def _changed(path: str, value: Any) -> dict[str, Any]:
    """PUBLISHED with the value at a slash-separated path replaced, or removed when `value` is `...`."""
    document = deepcopy(PUBLISHED)
    place: Any = document
    *way, last = path.split("/")
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message"),
    [
        ("properties/code", ..., "/code", "is removed"),
        ("x-ccr-computed/grave", ..., "/grave", "is removed"),
        ("x-ccr-computed/grave/type", "string", "/grave", "type is narrowed"),
        ("required", ["kind", "code"], "/code", "is required now"),
        ("required", [], "/kind", "is optional now"),
        ("$defs/Kind/enum", ["a"], "/kind", "'b' is no longer allowed"),
        ("properties/size/type", "string", "/size", "type is narrowed"),
        ("properties/size/type", "number", "/size", "type is widened"),
        ("properties/size/enum", [1, 2], "/size", "only listed values"),
        ("properties/code/pattern", "^b+$", "/code", "pattern changed"),
        ("properties/code/format", "uuid", "/code", "format changed"),
        ("properties/code/minLength", 2, "/code", "minLength is raised to 2"),
        ("properties/code/maxLength", 9, "/code", "maxLength is lowered to 9"),
        ("properties/size/minimum", 1, "/size", "minimum is raised"),
        ("properties/size/maximum", 8, "/size", "maximum is lowered"),
        ("properties/names/maxItems", 3, "/names", "maxItems is lowered"),
        ("properties/names/uniqueItems", True, "/names", "items must differ"),
        ("properties/names/prefixItems", [True], "/names", "prefixItems changed"),
        ("$defs/Name/properties/surname/maxLength", 8, "/name/surname", "maxLength is lowered to 8"),
        ("$defs/Name/properties/surname/x-ccr-sealed", False, "/name/surname", "was sealed and is clear now"),
        ("$defs/Name/properties/surname/x-ccr-label", "OPS", "/name/surname", "confidentiality label"),
        ("properties/kind/x-ccr-sealed", True, "/kind", "was clear and is sealed now"),
        ("properties/name/default", {"surname": "x"}, "/name", "default changed"),
        ("properties/name/anyOf", [{"$ref": "#/$defs/Name"}], "/name", "form it could take is gone"),
        ("properties/name/anyOf", [{"$ref": "#/$defs/Name"}, {"type": "null"}, {"type": "integer"}],
         "/name", "takes a form it could not before"),
        ("properties/name", {"$ref": "#/$defs/Name", "default": None}, "/name", "one form and a choice"),
        ("properties/code", False, "/code", "refused now"),
        ("$defs/Tree/properties/under/anyOf/1/type", "string", "/tree/under", "type is narrowed"),
        ("x-ccr-publishers", ["jail"], "", "le may no longer publish it"),
        ("x-ccr-victim-act", True, "", "victim's own act"),
    ],
)  # fmt: skip
def test_a_breaking_change_is_told(path: str, value: Any, pointer: str, message: str) -> None:
    found = breaks(PUBLISHED, _changed(path, value))
    assert [f for f in found if f.pointer == pointer and message in f.message], found
    assert all(message in f.message for f in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties/more", {"type": "string", "x-ccr-label": "OPS", "x-ccr-sealed": False}),
        ("$defs/Kind/enum", ["a", "b", "c"]),
        ("properties/code/pattern", ...),
        ("properties/code/minLength", ...),
        ("properties/size/maximum", 99),
        ("properties/names/maxItems", 64),
        ("x-ccr-publishers", ["jail", "le", "pros"]),
        ("properties/code/description", "Better words."),
        ("additionalProperties", True),
        ("properties/name/anyOf", [{"type": "null"}, {"$ref": "#/$defs/Name"}]),
    ],
)
def test_a_compatible_change_is_let_through(path: str, value: Any) -> None:
    assert breaks(PUBLISHED, _changed(path, value)) == []


def test_renaming_a_definition_breaks_nobody() -> None:
    renamed = deepcopy(PUBLISHED)
    renamed["$defs"]["Sort"] = renamed["$defs"].pop("Kind")
    renamed["properties"]["kind"]["$ref"] = "#/$defs/Sort"
    assert breaks(PUBLISHED, renamed) == []


def test_closing_an_open_object_is_breaking() -> None:
    assert breaks(_changed("additionalProperties", True), PUBLISHED)[0].message == "no longer accepts further fields"


def test_a_schema_does_not_break_itself() -> None:
    schema = payload_schema(SAMPLE)
    assert breaks(schema, schema) == []


def test_computed_flags_are_published() -> None:
    assert payload_schema(SAMPLE)["x-ccr-computed"]["has_notes"]["type"] == "boolean"
