"""What of an open skeleton one agency is shown: open means that policies decide on it, not that everybody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.labels import Label
from ccr_events.skeleton import keep
from services.sealing.visibility import Visibility, visibility

_ALWAYS = frozenset({"references"})
"""Fields that every agency with a part in the case is shown: how to find it in its own system."""


def shown(
    event_type: str, publisher: str, data: Mapping[str, Any], reader: str, matrix: Visibility | None = None
) -> dict[str, Any]:
    """The open fields of an event's `data` that `reader` (an agency) is shown; the publisher sees all of its own."""
    if reader == publisher:
        return dict(data)
    known = event_types().get(event_type)
    if known is None or reader not in set(Agency):
        return {}
    ruled = (matrix or visibility()).skeleton
    agency = Agency(reader)
    if agency not in ruled.types.get(event_type, frozenset(Agency)):
        return {name: value for name, value in data.items() if name in _ALWAYS}

    def may(name: str, label: Label) -> bool:
        allowed = ruled.fields.get(f"{event_type}.{name}", ruled.labels.get(label))
        return allowed is None or agency in allowed

    return keep(known.model, data, may)
