"""What a change of a published schema breaks, for those who publish under it and those who read it.

Two JSON Schemas of the same type and version are walked side by side. Publishers: what was accepted must
still be. Readers: what was promised must still hold. A keyword this check cannot judge counts as breaking
when it changes. New values of an enum are compatible: readers must bear a code they do not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_LOWER_BOUNDS = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER_BOUNDS = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "deprecated"})
_JUDGED = frozenset(
    {
        *_LOWER_BOUNDS,
        *_UPPER_BOUNDS,
        "$ref", "type", "enum", "const", "pattern", "format", "properties", "required", "items", "anyOf", "oneOf",
        "additionalProperties", "uniqueItems", "x-ccr-label", "x-ccr-sealed", "x-ccr-publishers",
        "x-ccr-victim-act", "x-ccr-computed",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Break:
    """One incompatible change."""

    pointer: str
    """JSON pointer into `data`; empty for the type itself."""
    message: str


def breaks(published: Schema, generated: Schema) -> list[Break]:
    """The incompatible changes from `published` to `generated`; empty when everyone is still served."""
    return list(_Comparison(published, generated).walk(published, generated, ""))


class _Comparison:
    """One walk: holds both documents, to follow references, and the pairs already seen."""

    def __init__(self, old_root: Schema, new_root: Schema, seen: frozenset[tuple[str, str]] = frozenset()):
        self._old_root = old_root
        self._new_root = new_root
        self._seen = set(seen)

    def walk(self, old: Schema | bool, new: Schema | bool, at: str) -> Iterator[Break]:
        """The breaks between two schemas at one place."""
        if isinstance(old, bool) or isinstance(new, bool):
            if old is not new and new is not True:
                yield Break(at, "is narrowed" if new else "is refused now")
            return
        pair = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and "$ref" in new:
            if pair in self._seen:
                yield from _marks(old, new, at)
                return
            self._seen.add(pair)
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        yield from _marks(old, new, at)
        if (_alternatives(old) is None) is not (_alternatives(new) is None):
            yield Break(at, "changed between one form and a choice of forms")
            return
        yield from _rights(old, new, at)
        yield from _values(old, new, at)
        yield from _bounds(old, new, at)
        yield from self._object(old, new, at)
        yield from self._inside(old, new, at)
        yield from self._choices(old, new, at)
        for keyword in sorted((old.keys() | new.keys()) - _JUDGED - _ANNOTATIONS):
            if old.get(keyword) != new.get(keyword):
                yield Break(at, f"{keyword} changed")

    def _object(self, old: Schema, new: Schema, at: str) -> Iterator[Break]:
        before, after = _fields(old), _fields(new)
        for name in before:
            if name not in after:
                yield Break(f"{at}/{name}", "is removed")
            else:
                yield from self.walk(before[name], after[name], f"{at}/{name}")
        required, demanded = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(demanded - required):
            yield Break(f"{at}/{name}", "is required now: publishers that leave it out are refused")
        for name in sorted(required & after.keys() - demanded):
            yield Break(f"{at}/{name}", "is optional now: readers that rely on it miss it")
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield Break(at, "no longer accepts further fields")
        elif isinstance(old.get("additionalProperties"), Mapping):
            yield from self.walk(old["additionalProperties"], new.get("additionalProperties", True), f"{at}/*")

    def _inside(self, old: Schema, new: Schema, at: str) -> Iterator[Break]:
        if "items" in new:
            yield from self.walk(old.get("items", True), new["items"], f"{at}/*")

    def _choices(self, old: Schema, new: Schema, at: str) -> Iterator[Break]:
        """Alternatives: each published one must be served by a new one; a new one surprises readers."""
        before, after = _alternatives(old), _alternatives(new)
        if before is None or after is None:
            return
        unmatched = list(after)
        for branch in before:
            found = [(list(self._fresh().walk(branch, other, at)), other) for other in after]
            best, match = min(found, key=lambda pair: len(pair[0]), default=([Break(at, "")], None))
            if match is not None and match in unmatched:
                unmatched.remove(match)
            if best:
                yield from best if len(before) == len(after) else [Break(at, "a form it could take is gone")]
        for _ in unmatched[: max(0, len(after) - len(before))]:
            yield Break(at, "takes a form it could not before: readers do not expect it")

    def _fresh(self) -> _Comparison:
        """For a try: what it sees must not hide anything from the walk that counts."""
        return _Comparison(self._old_root, self._new_root, frozenset(self._seen))


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema with its reference followed, what stands beside the reference taking precedence."""
    seen: set[str] = set()
    while (reference := schema.get("$ref")) is not None and reference not in seen:
        seen.add(reference)
        target: Any = root
        for step in str(reference).removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def _fields(schema: Schema) -> Mapping[str, Any]:
    """What may be sent, and what the backbone derives from it."""
    return {**schema.get("properties", {}), **schema.get("x-ccr-computed", {})}


def _alternatives(schema: Schema) -> list[Schema] | None:
    found: list[Schema] | None = schema.get("anyOf") or schema.get("oneOf")
    return found


def _marks(old: Schema, new: Schema, at: str) -> Iterator[Break]:
    before, after = old.get("x-ccr-sealed"), new.get("x-ccr-sealed")
    if before is True and after is not True:
        yield Break(at, "was sealed and is clear now: what was confidential would be readable on the log")
    elif before is False and after is True:
        yield Break(at, "was clear and is sealed now: policies and readers that use it miss it")
    if old.get("x-ccr-label") != new.get("x-ccr-label"):
        yield Break(at, "changed its confidentiality label: other readers than before may open it")


def _rights(old: Schema, new: Schema, at: str) -> Iterator[Break]:
    for agency in sorted(set(old.get("x-ccr-publishers", ())) - set(new.get("x-ccr-publishers", ()))):
        yield Break(at, f"{agency} may no longer publish it")
    if old.get("x-ccr-victim-act") != new.get("x-ccr-victim-act"):
        yield Break(at, "changed whether it is the victim's own act, and so whether it may satisfy a link")


def _values(old: Schema, new: Schema, at: str) -> Iterator[Break]:
    before, after = _types(old), _types(new)
    if after is not None and (before is None or not before <= after):
        yield Break(at, "its type is narrowed")
    elif before is not None and (after is None or not after <= before):
        yield Break(at, "its type is widened: readers do not expect it")
    allowed, still = _enum(old), _enum(new)
    if still is not None:
        if allowed is None:
            yield Break(at, "takes only listed values now")
        else:
            for value in (value for value in allowed if value not in still):
                yield Break(at, f"{value!r} is no longer allowed")
    for keyword in ("pattern", "format"):
        if keyword in new and old.get(keyword) != new[keyword]:
            yield Break(at, f"its {keyword} changed")
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield Break(at, "its items must differ now")


def _types(schema: Schema) -> frozenset[str] | None:
    if "type" not in schema:
        return None
    named = schema["type"]
    types = {named} if isinstance(named, str) else set(named)
    return frozenset(types | {"integer"} if "number" in types else types)


def _enum(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    found: list[Any] | None = schema.get("enum")
    return found


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[Break]:
    for keyword in _LOWER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] > old[keyword]):
            yield Break(at, f"its {keyword} is raised to {new[keyword]}")
    for keyword in _UPPER_BOUNDS:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield Break(at, f"its {keyword} is lowered to {new[keyword]}")
