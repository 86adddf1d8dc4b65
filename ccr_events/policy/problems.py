"""What is wrong in a written policy: which file, which line, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document to a place in it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at one place of one file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class PolicyErrors(ValueError):
    """Documents that cannot be put in force; `problems` holds every problem of every document."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a path of a document, not yet at a line."""

    path: Path
    message: str
    suggestion: str = ""


@dataclass(slots=True)
class Report:
    """Collects findings; `at` gives the same report seen from a place further down."""

    findings: list[Finding] = field(default_factory=list)
    path: Path = ()

    def at(self, *steps: str | int) -> Report:
        """The report for the place `steps` below this one."""
        return Report(self.findings, (*self.path, *steps))

    def say(self, message: str, suggestion: str = "") -> None:
        """Record what is wrong at this place, and what to write instead."""
        self.findings.append(Finding(self.path, message, suggestion))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` for the known words nearest to `word`; empty when none is near."""
    near = get_close_matches(word[:64], sorted(known), n=2)
    return f"did you mean {' or '.join(near)}?" if near else ""


def listed(words: Iterable[str], most: int = 24) -> str:
    """The words, sorted, with commas; at most `most` of them."""
    found = sorted(words)
    rest = f", … ({len(found)} in all)" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
