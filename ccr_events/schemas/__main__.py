"""`python -m ccr_events.schemas check|write`: keep the checked-in schemas in step with the contract.

Exit codes: 0 in step or written, 1 differs or refused, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ccr_events.catalogue import event_types
from ccr_events.schemas.checkin import UNRELEASED, Findings, inspect, write

_HERE = Path(__file__).resolve().parents[2] / "schemas"
_BUMP = (
    "These changes break publishers or readers of a published schema. Keep them compatible, or raise the type's "
    "version and declare an @upcaster from the old one; its file stays."
)
_BEFORE_RELEASE = "No release has promised these schemas yet: `write --unreleased` overwrites them."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ccr_events.schemas", description=__doc__)
    parser.add_argument("action", choices=("check", "write"))
    parser.add_argument("--root", type=Path, default=_HERE, help="schemas folder (default: the repository's)")
    parser.add_argument(
        "--unreleased", action="store_true", help=f"write breaking changes too, while {UNRELEASED} is there"
    )
    options = parser.parse_args(arguments)
    root: Path = options.root
    unreleased = (root / UNRELEASED).exists()
    findings = inspect(root, event_types())
    if options.action == "check":
        return _check(findings, unreleased=unreleased)
    return _write(root, findings, unreleased=unreleased, insisted=options.unreleased)


def _check(findings: Findings, *, unreleased: bool) -> int:
    _show(findings.broken)
    if findings.broken:
        _show([_BUMP, _BEFORE_RELEASE] if unreleased else [_BUMP])
    _show(f"{path}: differs from the contract" for path in findings.stale)
    if findings.stale and not findings.broken:
        _show(["Run `python -m ccr_events.schemas write` and check the files in."])
    return 1 if findings.broken or findings.stale else 0


def _write(root: Path, findings: Findings, *, unreleased: bool, insisted: bool) -> int:
    if insisted and not unreleased:
        _show([f"--unreleased is refused: {UNRELEASED} is gone, so these schemas are promised. {_BUMP}"])
        return 1
    if findings.broken and not insisted:
        _show([*findings.broken, _BUMP])
        return 1
    write(root, event_types(), findings)
    _show(f"{path}: deleted" for path in findings.withdrawn)
    _show(f"{path}: written" for path in findings.stale)
    return 0


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
