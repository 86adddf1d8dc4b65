"""Events that name nobody: what an advocacy program says, and what the backbone says of itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import Party, Payload


class Unnamed(Payload):
    """Base of payloads without people or documents, so that none can slip in, not even encrypted."""

    parties: Annotated[tuple[Party, ...], OPS] = Field(default=(), max_length=0)
    """Always empty: this event names nobody."""
    source_document: Annotated[None, sealed(Label.CJI)] = None
    """Always absent."""
