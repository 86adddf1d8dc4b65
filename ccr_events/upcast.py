"""Old payloads to new: a function per (type, version) that brings `data` one version up.

    @upcaster("arrest.made", from_version=1)
    def rename_charge_codes(data: dict[str, Any]) -> dict[str, Any]: ...

An upcaster stands beside its type's payload. It is given what an adapter sent under the old version, and on
replay the open skeleton of an old record, where sealed fields are absent: it must not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ccr_events.registry import EventType

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class UnsupportedVersion(ValueError):
    """A payload version this backbone cannot read: newer than it knows, or with no way up."""


class Upcasters:
    """The upcasters of a contract, by (type, version they start from)."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Upcast] = {}

    def __contains__(self, key: tuple[str, int]) -> bool:
        return key in self._steps

    def add(self, event_type: str, from_version: int, step: Upcast) -> None:
        """Register `step`, which brings `event_type` from `from_version` to the next; once only."""
        if (event_type, from_version) in self._steps:
            raise ValueError(f"{event_type} has two upcasters from version {from_version}")
        self._steps[event_type, from_version] = step

    def bring_up(self, event_type: str, version: int, data: Mapping[str, Any]) -> dict[str, Any]:
        """Apply every step from `version` on; `data` itself is left alone."""
        current = dict(data)
        while (step := self._steps.get((event_type, version))) is not None:
            current = step(current)
            version += 1
        return current

    def to_current(self, event_type: EventType, version: int, data: Mapping[str, Any]) -> dict[str, Any]:
        """`data` at the type's current version; raises `UnsupportedVersion`."""
        if version > event_type.version:
            raise UnsupportedVersion(
                f"{event_type.name} is known up to version {event_type.version}: "
                f"publish that version, or upgrade the backbone first"
            )
        if version < 1 or self.gaps(event_type, version):
            raise UnsupportedVersion(
                f"{event_type.name} can no longer be read at this version: publish version {event_type.version}"
            )
        return self.bring_up(event_type.name, version, data)

    def gaps(self, event_type: EventType, version: int = 1) -> list[int]:
        """Versions from `version` up that lack the upcaster to the next."""
        return [v for v in range(version, event_type.version) if (event_type.name, v) not in self._steps]


UPCASTERS = Upcasters()
"""The contract's own."""


def upcaster(event_type: str, *, from_version: int) -> Callable[[Upcast], Upcast]:
    """Declare the function below as the contract's upcaster of `event_type` from `from_version`."""

    def declare(step: Upcast) -> Upcast:
        UPCASTERS.add(event_type, from_version, step)
        return step

    return declare
