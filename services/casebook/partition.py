"""Records of `ccr.events` folded into the views of one partition, and what has to be written of it. No I/O.

Folding twice changes nothing and says nothing, so a worker may begin anew at any offset its views do not lack. A record
that cannot be folded is set aside with the kind of error and where it is, never with what it holds: it stays where it
lies, on the topic.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID, uuid5

import orjson

from ccr_events.core import moves
from ccr_events.core.codec import encode_link, encode_transition
from ccr_events.core.fold import CaseFull, Step, step
from ccr_events.core.model import Fact, Link, Outbound
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.casebook.recorder import MAX_HOPS, carried
from services.engine.kafka.batches import Output, OversizedRecord
from services.engine.kafka.batches.records import Record
from services.engine.kafka.topics.partition import partition_of
from services.engine.transaction import NewRecord

ALERTING = "alerting"
"""Header: there, and `SILENT`, on what comes from backfilled history."""
SILENT = b"0"
HOPS = "hops"
"""Header of a carried event: through how many cases merges and splits have carried it."""
RECORDED_AT = "recorded_at"
"""Header on `ccr.links`: ISO 8601 text of the causing event's `recorded_at`."""
CAUSE = "cause"
"""Header on `ccr.links`: offset of the causing event in the same partition of `ccr.events`. It orders what is said of a
link also when a worker says it again."""
UNTOLD = "untold"
"""Header on `ccr.links`: there on what nobody hears of, but whoever keeps links must know. `CHANGED`: the value is a
link that is otherwise than its transitions say; `DROPPED`: it is the id of one that the case holds no more."""
CHANGED, DROPPED = b"changed", b"dropped"
_QUARANTINE_IDS = UUID("5f2c1d6e-8f0b-5d0a-9c57-6f1f9e1f7a55")
_OURS = ("ccr_events", "services")
_EITHER: Sequence[tuple[str, bytes]] = ((ALERTING, SILENT),)


class Views(Protocol):
    """The views of one partition, as far as folding needs them."""

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""

    def put(self, view: CaseView, changed: Iterable[Link] = (), removed: Iterable[str] = ()) -> None:
        """The new state of a case, and which of its links differ."""


class EditionMissing(RuntimeError):
    """Events were judged by a policy edition that is not loaded. They wait on the topic until it is."""


@dataclass(frozen=True, slots=True)
class Places:
    """Topics in the generation in force."""

    events: str
    links: str
    case_views: str
    quarantine: str
    partitions: int
    """Of the topics keyed by case."""


@dataclass(slots=True)
class Folded:
    """What folding some records brought."""

    events: int = 0
    """Folded anew."""
    repeated: int = 0
    """Were in their case already."""
    links: list[Output] = field(default_factory=list)
    carried: list[tuple[int, Output]] = field(default_factory=list)
    """(partition, record): events of other cases that merges and splits oblige to."""
    set_aside: list[Output] = field(default_factory=list)
    """For quarantine."""
    backfilled: dict[str, str] = field(default_factory=dict)
    """Link id → case that holds it: the links that backfilled history has changed."""
    recorded_at: datetime | None = None
    """The newest among the events."""


class Folding:
    """Folds the records of one partition. Keeps nothing but which editions it has found."""

    def __init__(self, partition: int, places: Places, policies: Policies) -> None:
        self._partition = partition
        self._places = places
        self._policies = policies
        self._known: set[str] = set()

    def fold(self, views: Views, records: Iterable[Record]) -> Folded:
        """Fold records in the order given. Raises `EditionMissing`; what was folded before it stays folded."""
        folded = Folded()
        for record in records:
            try:
                fact = self._read(record)
            except _Unreadable as poison:
                folded.set_aside.append(self._refusal(record, str(poison)))
                continue
            if fact.edition not in self._known or fact.type == moves.ABSORBED:
                self._require(fact)
            view = views.get(fact.case_id)
            if not view.facts and partition_of(fact.case_id.encode(), self._places.partitions) != self._partition:
                folded.set_aside.append(self._refusal(record, "its case belongs to another partition"))
                continue
            try:
                done = step(view, fact, self._policies)
            except CaseFull:
                folded.set_aside.append(self._refusal(record, "its case is full"))
                continue
            except MemoryError:
                raise
            except Exception as defect:
                # Whatever it is: one record that no policy or fold can take must not hold up all that follow.
                folded.set_aside.append(self._refusal(record, f"folding failed: {where(defect)}"))
                continue
            if done.view is view:
                folded.repeated += 1
                continue
            views.put(done.view, done.changed, done.removed)
            folded.events += 1
            if folded.recorded_at is None or fact.recorded_at > folded.recorded_at:
                folded.recorded_at = fact.recorded_at
            if done.transitions or done.outbound or done.changed or done.removed:
                self._follows(folded, record, fact, done)
        return folded

    def again(self, view: CaseView, record: Record) -> CaseView:
        """The view with one more record of its case folded, as `fold` did it before; nothing follows from it twice.

        Raises `EditionMissing`.
        """
        try:
            fact = self._read(record)
        except _Unreadable:
            return view
        if fact.edition not in self._known or fact.type == moves.ABSORBED:
            self._require(fact)
        try:
            return step(view, fact, self._policies).view
        except MemoryError:
            raise
        except Exception:  # it went to quarantine
            return view

    def _read(self, record: Record) -> Fact:
        if record.value is None or record.key is None:
            raise _Unreadable("it has no key or no value")
        try:
            fact = read_fact(record.value)
            key = fact.case_id.encode()
        except Exception as bad:
            # The text of such an error quotes what could not be read.
            raise _Unreadable(f"it cannot be read: {type(bad).__name__}") from None
        if key != record.key:
            raise _Unreadable("its key is not its case")
        return fact

    def _require(self, fact: Fact) -> None:
        editions = {fact.edition, fact.data.get("edition")} if fact.type == moves.ABSORBED else {fact.edition}
        for edition in sorted(str(each) for each in editions if each is not None):
            try:
                self._policies.edition(edition)
            except LookupError as missing:
                raise EditionMissing(
                    f"events of partition {self._partition} were judged by policy edition {edition}, which is not "
                    "among the policies loaded here: give this worker the policies that intake has"
                ) from missing
        self._known.add(fact.edition)

    def _follows(self, folded: Folded, record: Record, fact: Fact, done: Step) -> None:
        """What one event caused, as records."""
        headers = dict(record.headers)
        loud = headers.get(ALERTING) != SILENT
        if done.changed or done.removed or done.transitions:
            said = [(RECORDED_AT, fact.recorded_at.isoformat().encode()), (CAUSE, b"%d" % record.offset)]
            said += () if loud else _EITHER
            folded.links += self._said(record, done, said)
        if not loud:
            folded.backfilled.update((link.id, fact.case_id) for link in done.changed)
        if done.outbound:
            hops = _hops(headers) + 1
            for sent in done.outbound:
                if hops > MAX_HOPS:
                    words = f"merges and splits would carry {sent.type} through more than {MAX_HOPS} cases"
                    folded.set_aside.append(self._refusal(record, words, about=sent.id))
                else:
                    folded.carried.append(self._carried(sent, fact, hops, loud=loud))

    def _said(self, record: Record, done: Step, headers: Sequence[tuple[str, bytes]]) -> list[Output]:
        """Transitions, and behind them what else is new of the links that the case holds."""
        topic, key, at_ms = self._places.links, record.key, record.timestamp
        told = {t.link.id: t.link for t in done.transitions}
        untold = [(encode_link(link), CHANGED) for link in done.changed if told.get(link.id) != link]
        untold += [(link_id.encode(), DROPPED) for link_id in done.removed if link_id not in told]
        return [
            *(Output(topic, key, encode_transition(t), at_ms, headers) for t in done.transitions),
            *(Output(topic, key, value, at_ms, [*headers, (UNTOLD, what)]) for value, what in untold),
        ]

    def _carried(self, sent: Outbound, fact: Fact, hops: int, *, loud: bool) -> tuple[int, Output]:
        record = carried(sent, NewRecord(fact, b"", b"", loud))
        return event_output(record, self._places, ((HOPS, b"%d" % hops),))

    def _refusal(self, record: Record, reason: str, about: str = "") -> Output:
        place = f"{self._places.events}/{self._partition}/{record.offset}"
        return refusal(self._places, place, reason, about)


def event_output(record: NewRecord, places: Places, headers: Sequence[tuple[str, bytes]] = ()) -> tuple[int, Output]:
    """(partition, record for `ccr.events`) of an event that the backbone itself appends."""
    key = record.fact.case_id.encode()
    all_headers = [*headers, *(() if record.alerting else _EITHER)]
    return partition_of(key, places.partitions), Output(places.events, key, record.body, None, all_headers)


def too_large(places: Places, record: OversizedRecord) -> Output:
    """A record for quarantine: that its topic cannot hold this one. Another one of the same case is another entry."""
    output, topic = record.output, f"{record.output.topic}/{record.partition}"
    digest = sha256(b"%d %b%b" % (len(output.key or b""), output.key or b"", output.value or b"")).hexdigest()
    reason = f"a record of {record.size} bytes; the topic takes {record.limit}"
    about = (output.key or b"").decode("utf-8", "replace")
    return refusal(places, topic, reason, about, entry_id=refusal_id(topic, digest))


def refusal(places: Places, place: str, reason: str, about: str = "", *, entry_id: str = "") -> Output:
    """A record for quarantine: where what could not be handled lies, and why. It holds nothing of the content.

    `about`: id of what was to be made of it, when that could not be written; `entry_id`: when place and that do not
    tell it from every other.
    """
    entry_id = entry_id or refusal_id(place, about)
    entry: dict[str, Any] = {"id": entry_id, "source": place, "reason": reason}
    if about:
        entry["about"] = about
    return Output(places.quarantine, entry_id.encode(), orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))


def refusal_id(place: str, about: str = "") -> str:
    """Derived, so that whoever sets the same record aside makes the same entry."""
    return str(uuid5(_QUARANTINE_IDS, f"{place} {about}"))


def where(error: BaseException) -> str:
    """The kind of an error and the place in our code where it arose; never its text, which may quote content."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [f for f in frames if str(f.f_globals.get("__name__", "")).partition(".")[0] in _OURS]
    if not ours:
        return type(error).__name__
    last = ours[-1]
    return f"{type(error).__name__} in {last.f_globals['__name__']}.{last.f_code.co_name}"


class _Unreadable(ValueError):
    """A record that no event can be read from; the text says why and quotes nothing."""


def _hops(headers: Mapping[str, bytes | None]) -> int:
    """Through how many cases a record was carried; one that says nonsense is carried no further."""
    text = headers.get(HOPS)
    if text is None:
        return 0
    return int(text) if text.isdigit() and len(text) < 4 else MAX_HOPS
