"""Records of batch topics as aiokafka's decoder has them, not copied once more.

aiokafka copies every decoded record into a frozen dataclass of eleven fields, which takes as long as the decoding. Its
decoder's own record already has what `Record` asks for.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from aiokafka.consumer import fetcher


class AsDecoded:
    """A key deserializer that changes no key, and by which our consumer's fetches are known among others'."""

    def __init__(self, topics: Set[str]) -> None:
        self.topics = topics
        """Names of the topics whose records are not copied."""

    def __call__(self, key: bytes | None) -> bytes | None:
        """The key, untouched."""
        return key


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's own for every other consumer and topic."""

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        deserializer = self._key_deserializer
        if isinstance(deserializer, AsDecoded) and tp.topic in deserializer.topics:
            return record
        return super()._consumer_record(tp, record)


def install() -> None:
    """Make aiokafka's fetcher use it; it names its class by a module's global, so there is no other way."""
    fetcher.PartitionRecords = _PartitionRecords
