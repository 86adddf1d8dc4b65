"""An observer that costs nothing."""

from __future__ import annotations


class Quiet:
    """Implements `services.engine.ports.Observer`."""

    def accepted(self, event_type: str, agency: str) -> None:
        """Not counted."""

    def refused(self, agency: str, status: str) -> None:
        """Not counted."""

    def published(self, seconds: float) -> None:
        """Not counted."""

    def folded(self, seconds: float) -> None:
        """Not counted."""

    def sealed_read(self, label: str, agency: str, outcome: str) -> None:
        """Not counted."""

    def alerted(self, seconds: float) -> None:
        """Not counted."""
