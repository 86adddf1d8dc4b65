"""Publishing from an agency's own system: what is given is on disk before `publish` returns, and sent until it arrives.

`Client` for plain scripts, `AdapterClient` for asyncio · `spool` the durable queue · `spool_key` what seals it ·
`sender` who empties it · `delivery` what an answer of the backbone means · `waits` how long until the next try
"""

from __future__ import annotations

from ccr_events.client.adapter import AdapterClient, Client, Status
from ccr_events.client.sender import Sending
from ccr_events.client.spool import Bounds, EventTooLarge, RefusedEvent, Spool, SpoolError, SpoolFull
from ccr_events.client.spool_key import SpoolKeyError

__all__ = [
    "AdapterClient",
    "Bounds",
    "Client",
    "EventTooLarge",
    "RefusedEvent",
    "Sending",
    "Spool",
    "SpoolError",
    "SpoolFull",
    "SpoolKeyError",
    "Status",
]
