"""docker-compose.yml as Docker reads it, and the secrets that it asks for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
OURS = "ccr-backbone"
"""Name of our own image."""


def yaml_of(path: Path) -> Any:
    """A YAML document, with its anchors and merges resolved."""
    return YAML(typ="safe").load(path)


@cache
def composed() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml_of(FILE)
    return found


def services() -> dict[str, dict[str, Any]]:
    """Every service by name."""
    found: dict[str, dict[str, Any]] = composed()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services that run our own image."""
    return {name: each for name, each in services().items() if each["image"].startswith(OURS)}


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """Of a service: name of a file in /run/secrets → name of the secret."""
    return {
        (each if isinstance(each, str) else each["target"]): (each if isinstance(each, str) else each["source"])
        for each in service.get("secrets", [])
    }
