"""The fullest payload a published schema allows, a unique value planted in every sealed field that can hold one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

_OPEN_TEXTS = ("A-1", "desk", "1")


@dataclass
class Planter:
    """Makes payloads and remembers what it planted."""

    planted: set[str] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: count(1))

    def fullest(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Every property filled in, but party tokens, which the backbone gives."""
        made: dict[str, Any] = self._made(schema, schema, sealed=False)
        for party in made.get("parties", ()):
            del party["token"]
        return made

    def _made(self, schema: Mapping[str, Any], root: Mapping[str, Any], *, sealed: bool) -> Any:
        sealed = sealed or bool(schema.get("x-ccr-sealed"))
        if "$ref" in schema:
            return self._made(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, sealed=sealed)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._made(next(c for c in choices if c.get("type") != "null"), root, sealed=sealed)
        match schema["type"]:
            case "object":
                properties = schema.get("properties", {}).items()
                open_fields = {n: s for n, s in properties if not s.get("readOnly") and s.get("type") != "null"}
                return {name: self._made(inner, root, sealed=sealed) for name, inner in open_fields.items()}
            case "array":
                size = min(max(1, schema.get("minItems", 0)), schema.get("maxItems", 1))
                return [self._made(schema["items"], root, sealed=sealed) for _ in range(size)]
            case "string":
                return self._text(schema, sealed=sealed)
            case "integer":
                return self._number(schema, sealed=sealed)
            case "boolean":
                return True
        raise AssertionError(f"a schema keyword this generator does not know: {schema}")

    def _text(self, schema: Mapping[str, Any], *, sealed: bool) -> str:
        match schema.get("format"):
            case "date-time":
                return "2026-03-01T22:00:00Z"
            case "date":
                text = str(date(1901, 1, 1) + timedelta(days=next(self._numbers)))
            case _:
                text = f"PLANTED-{next(self._numbers):05d}"
        if not sealed:
            pattern = schema.get("pattern", "")
            return next(t for t in _OPEN_TEXTS if re.search(pattern, t)) if schema.get("format") is None else text
        self.planted.add(text)
        return text

    def _number(self, schema: Mapping[str, Any], *, sealed: bool) -> int:
        most = schema.get("maximum", 1)
        if not sealed or most < 10**9:
            return int(schema.get("minimum", 0))
        value = 987_000_000 + next(self._numbers)
        self.planted.add(str(value))
        return value
