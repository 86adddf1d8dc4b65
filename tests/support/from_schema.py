"""Documents that a published schema allows, for property tests. Knows the keywords our schemas use, no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

LONGEST_TEXT = 24
LONGEST_LIST = 3


def documents(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Documents valid against `schema`, whose `$defs` it may refer to."""
    return _documents(schema, schema)


def _documents(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _documents(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([_documents(choice, root) for choice in choices])
    match schema["type"]:
        case "object":
            return _objects(schema, root)
        case "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems", LONGEST_LIST)
            items = _documents(schema["items"], root)
            return st.lists(items, min_size=least, max_size=max(least, min(most, LONGEST_LIST)))
        case "string":
            return _texts(schema)
        case "integer":
            return st.integers(schema.get("minimum", -(10**6)), schema.get("maximum", 10**6))
        case "number":
            return st.floats(schema.get("minimum", -1e6), schema.get("maximum", 1e6))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    raise AssertionError(f"a schema keyword this generator does not know: {schema}")


def _objects(schema: Mapping[str, Any], root: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    required = set(schema.get("required", ()))
    fields = {name: _documents(inner, root) for name, inner in schema.get("properties", {}).items()}
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", LONGEST_TEXT)
    match schema.get("format"):
        case "date-time":
            years = datetime(1950, 1, 1), datetime(2150, 1, 1)  # noqa: DTZ001  # bounds are naive by contract
            return st.datetimes(*years, timezones=st.just(UTC)).map(datetime.isoformat)
        case "date":
            return st.dates().map(str)
        case None:
            pass
        case other:
            raise AssertionError(f"a format this generator does not know: {other}")
    if pattern := schema.get("pattern"):
        texts = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
        return texts.filter(lambda text: least <= len(text) <= most)
    return st.text(min_size=least, max_size=max(least, min(most, LONGEST_TEXT)))
