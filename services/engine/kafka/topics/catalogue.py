"""Every topic of the backbone, in one place: names, partitions, what is kept and for how long, copies.

The log of events and what was decided from it are kept for ever: a case is refolded from them, and what may no longer
be read is destroyed with its key, never by a retention time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ccr_events.agencies import REPORTING

LAYOUT = "ccr.layout"
"""Which generation of the topics keyed by case counts, and with how many partitions. One record, compacted."""
EVENTS = "ccr.events"
"""Accepted events, sealed; key `case_id`. The truth."""
LINKS = "ccr.links"
"""Link transitions that the casebook decided; key `case_id`, each with its derived id."""
CASE_VIEWS = "ccr.case-views"
"""The newest view of each case, to rebuild a worker's store from; key `case_id`, compacted."""
QUARANTINE = "ccr.quarantine"
"""What was refused, with the reason, its body sealed; key its quarantine id."""
INBOUND = "ccr.inbound."
"""Before an agency's code: the one topic that an agency's adapter may write."""
RECEIPTS = "ccr.receipts"
"""That alerts were delivered: the alerts' workers tell intake, which takes it in as it does what agencies write."""

FOREVER = "-1"
DAY_MS = 86_400_000
INBOUND_RETENTION_MS = 7 * DAY_MS
"""How long what an adapter wrote waits for an intake that is down: over a long weekend."""
MAX_RECORD_BYTES = 1_048_576
"""Largest record batch of a topic (1 MiB); a larger view is set aside."""
MAX_EVENT_RECORD_BYTES = 3 * MAX_RECORD_BYTES
"""The same of the topics that hold whole events: room for the largest one (`ccr_events.envelope.MAX_EVENT_BYTES`),
which sealing makes a third longer."""
LARGEST = "max.message.bytes"
CLOSED_BYTES = "78"
"""Of a topic that is to take nothing more, the largest record batch: the mark that ends a transaction, which has to get
through, or readers would wait for it for ever. Whatever is keyed by a case is larger."""
TOMBSTONES_MS = 7 * DAY_MS
"""How long a compacted topic keeps the mark of a deleted key: a worker that slept less sees every deletion."""


@dataclass(frozen=True, slots=True)
class Size:
    """What differs between a laptop and a state."""

    partitions: int = 12
    """Of the topics keyed by case: no more workers than this fold at once. Raised only by `repartition`."""
    copies: int = 3
    """Brokers that hold each record; 1 on a laptop, where nothing survives the disk."""
    generation: int = 1
    """How often the topics keyed by case were written anew with more partitions, counted from 1."""

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= MAX_PARTITIONS:
            raise ValueError(f"a topic has 1 to {MAX_PARTITIONS} partitions, not {self.partitions}")
        if self.copies not in (1, 2, 3):
            raise ValueError(f"a record has 1 to 3 copies, not {self.copies}")
        if self.generation < 1:
            raise ValueError(f"generations are counted from 1, this is {self.generation}")

    def named(self, topic: str) -> str:
        """The name in this generation of a topic keyed by case: its own in the first, later with a number."""
        return topic if self.generation == 1 else f"{topic}.g{self.generation}"


MAX_PARTITIONS = 1_024
"""Most partitions of one topic; a nation's volume (domain.md) needs far fewer."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it has to be."""

    name: str
    partitions: int
    copies: int
    by_case: bool
    """Whether its key is the case: such topics have equally many partitions, and a case the same one in each."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Every topic setting that is not the broker's own default."""

    def closed(self) -> Topic:
        """The same, taking nothing more: brokers refuse what is sent to it, whoever sends and whatever it believes."""
        return replace(self, settings={**self.settings, LARGEST: CLOSED_BYTES})


_LARGE = {"max_message_bytes": str(MAX_EVENT_RECORD_BYTES)}
_AS_INTAKE_READS = {"retention_ms": str(INBOUND_RETENTION_MS), "compression_type": "uncompressed"}
"""The broker undoes whatever compression an adapter chose, with codecs that intake may not have, and holds what comes
out against the topic's limit: a small batch that grows without end is refused where it is written."""


def catalogue(size: Size) -> tuple[Topic, ...]:
    """Every topic, for a cluster of this size."""
    by_case = [
        Topic(size.named(name), size.partitions, size.copies, by_case=True, settings=_settings(size, **more))
        for name, more in (
            (EVENTS, {"retention_ms": FOREVER, **_LARGE}),
            (LINKS, {"retention_ms": FOREVER}),
            (CASE_VIEWS, {"cleanup_policy": "compact", "delete_retention_ms": str(TOMBSTONES_MS)}),
        )
    ]
    layout = Topic(LAYOUT, 1, size.copies, by_case=False, settings=_settings(size, cleanup_policy="compact"))
    quarantine = Topic(
        QUARANTINE, 1, size.copies, by_case=False, settings=_settings(size, retention_ms=FOREVER, **_LARGE)
    )
    inbound = [
        Topic(
            INBOUND + agency.value,
            1,
            size.copies,
            by_case=False,
            settings=_settings(size, **_AS_INTAKE_READS, **_LARGE),
        )
        for agency in REPORTING
    ]
    receipts = Topic(RECEIPTS, 1, size.copies, by_case=False, settings=_settings(size, **_AS_INTAKE_READS))
    return (*by_case, layout, quarantine, *inbound, receipts)


def _settings(size: Size, **more: str) -> dict[str, str]:
    """Written by name with underscores, as Python has them; Kafka's have points."""
    common = {
        "cleanup_policy": "delete",
        "min_insync_replicas": str(max(1, size.copies - 1)),
        "max_message_bytes": str(MAX_RECORD_BYTES),
        # A broker that missed records must not become the leader: better no service for a while than a lost event.
        "unclean_leader_election_enable": "false",
        "message_timestamp_type": "CreateTime",
    }
    return {name.replace("_", "."): value for name, value in {**common, **more}.items()}
