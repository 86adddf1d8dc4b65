"""Keyed hashes: equality without the values. HMAC-SHA256, a subkey of the master key for each use.

A plain hash of a name or a birth date is undone by trying all of them; without the key these cannot be tried.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

import orjson

from ccr_events.envelope import Event, write_structured
from services.sealing.master_key import MasterKey

TOKEN_HEX = 32
"""Length of a person's token: 128 bits, so that no two of a nation's people share one."""
BLOCK_BYTES = 16
_SEPARATOR = "\x1f"


class KeyedHashes:
    """The hashes of one backbone. Repr shows no key."""

    def __init__(self, master: MasterKey) -> None:
        self._digest = master.subkey("event digest")
        self._person = master.subkey("person exact key")
        self._block = master.subkey("person blocking key")
        self._submission = master.subkey("quarantined submission")

    def event_digest(self, event: Event, agency: str) -> bytes:
        """Of everything the agency said, key order aside; the trace of its delivery is left out, as a retry has a new
        one."""
        form = write_structured(event)
        form.pop("traceparent", None)
        form["agency"] = agency
        return hmac.digest(self._digest, orjson.dumps(form, option=orjson.OPT_SORT_KEYS), sha256)

    def said_once_digest(self, event: Event, agency: str) -> bytes:
        """Of an event whose derived id stands for the act: saying it again, at another time, is saying it once."""
        return hmac.digest(self._digest, _joined("said once", event.id, event.type, agency), sha256)

    def person_token(self, name: str, born: str) -> str:
        """Opaque token of a person: the same normalised name and birth date always give the same one."""
        return "p" + hmac.digest(self._person, _joined(name, born), sha256).hex()[:TOKEN_HEX]

    def block(self, kind: str, value: str) -> bytes:
        """A coarse key that people who may be the same share."""
        return hmac.digest(self._block, _joined(kind, value), sha256)[:BLOCK_BYTES]

    def submission(self, agency: str, raw: bytes) -> str:
        """Of refused bytes: the same submission refused again is kept once."""
        return hmac.digest(self._submission, agency.encode() + b"\x1f" + raw, sha256).hex()


def _joined(*parts: str) -> bytes:
    return _SEPARATOR.join(parts).encode()
