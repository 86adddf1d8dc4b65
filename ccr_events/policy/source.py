"""YAML text → plain data that remembers where each part stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from ccr_events.policy.problems import Path, PolicyErrors, Problem

MAX_BYTES = 1_000_000
"""Largest document that is read."""
MAX_NODES = 50_000
"""Most values in one document, those repeated by an alias counted each time."""
MAX_DEPTH = 40
"""Deepest nesting."""


@dataclass(frozen=True, slots=True)
class Source:
    """One document as written."""

    file: str
    """Name shown in errors."""
    data: dict[str, Any]
    """Plain values: text, numbers, booleans, dates, lists, maps."""
    tree: CommentedMap = field(repr=False)

    def problem(self, path: Path, message: str, suggestion: str = "") -> Problem:
        """A problem at the nearest place to `path` that the text has."""
        line, column = _position(self.tree, path)
        return Problem(self.file, line + 1, column + 1, message, suggestion)


def read_source(raw: bytes, file: str) -> Source:
    """Read one YAML 1.2 document; raises `PolicyErrors` when the text is not one."""
    if len(raw) > MAX_BYTES:
        raise _refused(file, f"is larger than {MAX_BYTES:,} bytes", "split the policy into chapters")
    try:
        tree = YAML(typ="rt", pure=True).load(BytesIO(raw))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(error.problem or error.context or "is not YAML").split())
        raise PolicyErrors([Problem(file, line, column, f"is not readable as YAML: {what}")]) from None
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        raise _refused(file, f"is not readable as YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(tree, CommentedMap):
        raise _refused(file, "holds no policy", "start with the line  policy: NAME")
    counter = [0]
    return Source(file, _plain(tree, file, counter, 0), tree)


def _refused(file: str, message: str, suggestion: str = "") -> PolicyErrors:
    return PolicyErrors([Problem(file, 1, 1, message, suggestion)])


def _plain(node: Any, file: str, counter: list[int], depth: int) -> Any:
    counter[0] += 1
    if counter[0] > MAX_NODES:
        raise _refused(file, f"holds more than {MAX_NODES:,} values", "split the policy, or repeat less by aliases")
    if depth > MAX_DEPTH:
        raise _refused(file, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value, file, counter, depth + 1) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item, file, counter, depth + 1) for item in node]
    if isinstance(node, ScalarBoolean):
        return bool(node)
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    if isinstance(node, datetime):
        return datetime.fromisoformat(node.isoformat())
    if node is None or isinstance(node, date):
        return node
    return str(node)


def _position(tree: CommentedMap, path: Path) -> tuple[int, int]:
    """Line and column, from 0, of the deepest part of `path` that exists; steps that do not exist are skipped."""
    node: Any = tree
    place = (0, 0)
    for step in path:
        if isinstance(node, CommentedMap) and step in node:
            place = node.lc.key(step)
            node = node[step]
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            place = node.lc.item(step)
            node = node[step]
    return (int(place[0]), int(place[1]))
