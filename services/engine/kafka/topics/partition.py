"""In which partition a case lies: the same for every topic keyed by case, and for every client of Kafka."""

from __future__ import annotations

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFF_FFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among so many, as Java's, Faust's and aiokafka's default partitioners choose it."""
    hashed: int = murmur2(key)
    return (hashed & _POSITIVE) % partitions
