"""A draft of a packaged policy, as its writers would make it."""

from __future__ import annotations

from importlib.resources import files

PATROL = files("ccr_events.policy").joinpath("documents").joinpath("patrol-1.0.0.yaml").read_text(encoding="utf-8")
"""A policy as it is in force."""


def newer(text: str = PATROL) -> str:
    """The text as a new version with a later date."""
    return text.replace("version: 1.0.0", "version: 1.3.0", 1).replace(
        "effective: 2020-01-01", "effective: 2031-01-01", 1
    )
