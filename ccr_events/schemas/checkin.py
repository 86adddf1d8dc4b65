"""The schema files of the repository: what they should be, what differs, and who a change would break.

The file of a type's version is its published form and the baseline of every later change. It may change as
long as nobody is broken; otherwise the type gets a new version, an upcaster, and a file of its own, and the
old file stays. See docs/schemas.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ccr_events.registry import EventType
from ccr_events.schemas.asyncapi import asyncapi_document
from ccr_events.schemas.compat import breaks
from ccr_events.schemas.envelope import envelope_schema, record_schema
from ccr_events.schemas.payload import payload_path, payload_schema
from ccr_events.upcast import UPCASTERS, Upcasters

UNRELEASED = "UNRELEASED"
"""Marker file: while it is there, no release has promised anyone these schemas. The first release removes it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """How the files stand against the contract; each entry is one line to show."""

    broken: tuple[str, ...]
    """Changes that would break publishers or readers, and versions without their file or upcaster."""
    stale: tuple[str, ...]
    """Files, relative to the schemas folder, that are missing or differ from what the contract says."""
    withdrawn: tuple[str, ...]
    """Published files that no declared type or version accounts for."""


def documents(types: Mapping[str, EventType]) -> dict[str, str]:
    """Path below the schemas folder → text of every generated file; the same contract gives the same text."""
    made: dict[str, dict[str, Any]] = {
        payload_path(event_type.name, event_type.version): payload_schema(event_type) for event_type in types.values()
    }
    made["envelope.json"] = envelope_schema()
    made["record.json"] = record_schema()
    made["asyncapi.json"] = asyncapi_document(types)
    return {path: _text(document) for path, document in sorted(made.items())}


def inspect(root: Path, types: Mapping[str, EventType], upcasters: Upcasters = UPCASTERS) -> Findings:
    """Compare the files under `root` with the contract `types`."""
    broken: list[str] = []
    for _, event_type in sorted(types.items()):
        broken += _broken_by(root, event_type)
        broken += _left_behind(root, event_type, upcasters)
    withdrawn = _withdrawn(root, types)
    broken += [f"{path}: is published, but the contract no longer declares it" for path in withdrawn]
    stale = [path for path, text in documents(types).items() if _read(root / path) != text]
    return Findings(tuple(broken), tuple(stale), tuple(withdrawn))


def write(root: Path, types: Mapping[str, EventType], findings: Findings) -> None:
    """Bring the files in step: write what is stale, delete what is withdrawn."""
    texts = documents(types)
    for path in findings.withdrawn:
        (root / path).unlink()
    for path in findings.stale:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(texts[path], encoding="utf-8")


def _broken_by(root: Path, event_type: EventType) -> list[str]:
    path = payload_path(event_type.name, event_type.version)
    published = _read(root / path)
    if published is None:
        return []
    return [
        f"{path}: {found.pointer or '/'} {found.message}"
        for found in breaks(json.loads(published), payload_schema(event_type))
    ]


def _left_behind(root: Path, event_type: EventType, upcasters: Upcasters) -> list[str]:
    lost = [
        f"{path}: is gone, but events of that version are on the log; bring the file back"
        for path in (payload_path(event_type.name, version) for version in range(1, event_type.version))
        if not (root / path).exists()
    ]
    gaps = [
        f"{event_type.name}: version {version} has no upcaster; declare @upcaster({event_type.name!r}, "
        f"from_version={version})"
        for version in upcasters.gaps(event_type)
    ]
    return lost + gaps


def _withdrawn(root: Path, types: Mapping[str, EventType]) -> list[str]:
    """Published files that no declared type accounts for."""
    known = {
        payload_path(event_type.name, version)
        for event_type in types.values()
        for version in range(1, event_type.version + 1)
    }
    files = (file.relative_to(root).as_posix() for file in root.glob("json/*/*.json"))
    return sorted(path for path in files if path not in known)


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
