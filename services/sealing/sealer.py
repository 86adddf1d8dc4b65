"""Sealing and opening the confidential parts of an event: AES-256-GCM, one token per label.

A token is base64url text of: format version (1 byte), nonce (12 random bytes), ciphertext and tag. It is bound to
its case, event and label, so a token copied elsewhere does not open.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from os import urandom
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag

from ccr_events.labels import Label
from ccr_events.skeleton import Sealed
from services.sealing.keys import Keys
from services.sealing.wrapping import NONCE_BYTES

FORMAT = 1
"""Version of the token format."""
_VERSION = bytes([FORMAT])


class TokenRefused(ValueError):
    """A token that does not open here: altered, moved from another place, or of another format."""


class Sealer:
    """Seals and opens with the data keys of a key store. Thread-safe."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, case_id: str, event_id: str, parts: Sealed) -> dict[str, str]:
        """Label → token. Makes the case's keys where needed; call in the writer's thread."""
        return {
            label.value: self.seal_bytes(case_id, event_id, label.value, orjson.dumps(values))
            for label, values in parts.items()
        }

    def open(
        self, case_id: str, event_id: str, tokens: Mapping[str, str], labels: Collection[Label]
    ) -> dict[Label, dict[str, Any]]:
        """The parts of those labels that the event has; raises `TokenRefused` or `KeyUnavailable`."""
        return {
            label: orjson.loads(self.open_bytes(case_id, event_id, label.value, tokens[label.value]))
            for label in labels
            if label.value in tokens
        }

    def seal_bytes(self, scope: str, item: str, label: str, plain: bytes) -> str:
        """One token for `plain` under the key of (scope, label), bound to the item; an event is an item of its case."""
        nonce = urandom(NONCE_BYTES)
        sealed = self._keys.key(scope, label).encrypt(nonce, plain, _binding(scope, item, label))
        return urlsafe_b64encode(_VERSION + nonce + sealed).decode()

    def open_bytes(self, scope: str, item: str, label: str, token: str) -> bytes:
        """Inverse of `seal_bytes`; raises `TokenRefused` or `KeyUnavailable`."""
        try:
            raw = urlsafe_b64decode(token)
        except ValueError:
            raw = b""
        if raw[:1] != _VERSION:
            raise TokenRefused(f"a sealed {label} value is no token of format {FORMAT}: it was altered")
        nonce, sealed = raw[1 : 1 + NONCE_BYTES], raw[1 + NONCE_BYTES :]
        key = self._keys.existing(scope, label)
        try:
            return key.decrypt(nonce, sealed, _binding(scope, item, label))
        except (InvalidTag, ValueError):
            raise TokenRefused(f"a sealed {label} value was altered or moved from another event") from None


def _binding(scope: str, item: str, label: str) -> bytes:
    return b"ccr-seal-1\x1f" + scope.encode() + b"\x1f" + item.encode() + b"\x1f" + label.encode()
