"""What must hold at the end of every run, whatever went wrong on the way. Each law yields what breaks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from random import Random

from ccr_events.core import ids
from ccr_events.core.codec import encode_view
from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.core.fold import refold
from ccr_events.core.model import Fact
from ccr_events.core.view import CaseView
from ccr_events.envelope import fact_of
from ccr_events.envelope.recorded import SEALED
from services.alerts.audience import may_see
from services.casebook.deadline_reached import SOURCE as TIMER
from services.casebook.recorder import SOURCE as CASEBOOK
from services.casebook.replay import verify
from services.engine.deadlines import pending
from services.sealing.hashes import KeyedHashes
from services.sealing.keys import KeyUnavailable
from services.sealing.keystore import FILE_NAME, KeyStore
from services.sealing.sealer import Sealer, TokenRefused
from tests.simulation.books import Books
from tests.simulation.evidence import Evidence, Logged
from tests.simulation.listeners import Listener

OWN_SOURCES = frozenset({CASEBOOK, TIMER, "/ccr/alerts", "/ccr/proposals"})
"""What the backbone itself appends; its ids must be derived ones."""


def on_the_log(found: Evidence, books: Books) -> Iterator[str]:
    """Everything acknowledged is on the log, where the receipt said, once, and as it was sent; nothing else is."""
    hashes = KeyedHashes(found.master)
    by_id = {event.id: event for event in found.log}
    if len(by_id) != len(found.log) or [event.position for event in found.log] != list(range(1, len(found.log) + 1)):
        yield "the log has an event twice, or a gap"
    for event_id, receipt in books.acknowledged.items():
        event = by_id.get(event_id)
        if event is None:
            yield f"{event_id} was acknowledged and is not on the log"
        elif (event.position, event.case_id) != (receipt.position, receipt.case_id):
            yield f"{event_id} is at position {event.position}; its receipt said {receipt.position}"
    for event in found.log:
        versions = books.sent.get(event.id, ())
        if event.record["source"] in OWN_SOURCES and not versions:
            if not ids.is_reserved(event.id):
                yield f"the backbone's own event {event.id} has no derived id"
        elif event.record["id"] != event.id or event.record["caseid"] != event.case_id:
            yield f"{event.id} is stored under another id or case than its own"
        elif not any(_same(event, sent.event, sent.agency, sent.said_once, hashes) for sent in versions):
            yield f"{event.id} ({event.record['type']}) is on the log, but nobody sent it so"


def _same(event: Logged, sent, agency: str, said_once: bool, hashes: KeyedHashes) -> bool:  # type: ignore[no-untyped-def]
    digest = hashes.said_once_digest if said_once else hashes.event_digest
    return (
        event.digest == digest(sent, agency)
        and event.record["type"] == sent.type
        and event.record["agency"] == agency
        and (said_once or datetime.fromisoformat(event.record["time"]) == sent.occurred_at)
    )


def recorded_in_order(found: Evidence, _: Books) -> Iterator[str]:
    """Times of recording never go back, and no two events from outside share one."""
    newest = newest_from_outside = datetime.min.replace(tzinfo=UTC)
    for event in found.log:
        at = event.recorded_at
        if at < newest:
            yield f"{event.id} at position {event.position} was recorded before the one before it"
        if event.record["source"] not in (CASEBOOK, TIMER):
            if at <= newest_from_outside:
                yield f"{event.id} at position {event.position} shares its time of recording with another"
            newest_from_outside = at
        newest = at


def refused_is_kept(found: Evidence, books: Books) -> Iterator[str]:
    """Quarantine holds what was refused, and not what must not be kept; what is settled may go after a time."""
    for quarantine_id, body in books.refused.items():
        sealed = found.quarantine.get(quarantine_id)
        if sealed is None:
            yield f"quarantine does not hold {quarantine_id}"
        elif (body is not None) != bool(sealed) and not (body is not None and quarantine_id in found.settled):
            yield f"quarantine entry {quarantine_id} holds a body: {bool(sealed)}; it must be {body is not None}"


def told_once(found: Evidence, _: Books) -> Iterator[str]:
    """Every transition is in the outbox once, and the outbox has no gap."""
    for transition_id, count in Counter(told.transition.id for told in found.outbox).items():
        if count > 1:
            yield f"transition {transition_id} was told {count} times"
    if [told.seq for told in found.outbox] != list(range(1, len(found.outbox) + 1)):
        yield "the outbox has a gap"


def everyone_heard(found: Evidence, listeners: Sequence[Listener]) -> Iterator[str]:
    """Each subscriber heard all it may see, in order, once, also over reconnects and crashes."""
    for listener in listeners:
        must = [
            (told.seq, told.transition.id)
            for told in found.outbox
            if told.alerting and may_see(listener.agency, told.transition)
        ]
        heard = [(alert.seq, alert.transition_id) for alert in listener.heard]
        if heard != must:
            lost, extra = [a for a in must if a not in heard], [a for a in heard if a not in must]
            yield f"a subscriber of {listener.agency} missed {len(lost)} alerts and heard {len(extra)} that are none"


def deadlines_fired(found: Evidence, now: datetime) -> Iterator[str]:
    """Every deadline fired once, never before its time; none that has passed waits."""
    fired: Counter[tuple[str, int, str]] = Counter()
    for event in found.log:
        if event.record["type"] != DEADLINE_REACHED:
            continue
        data = event.record["data"]
        fired[data["link_id"], data["step"], data["due_at"]] += 1
        if event.recorded_at < datetime.fromisoformat(data["due_at"]):
            yield f"step {data['step']} of link {data['link_id']} fired before its time"
    for (link_id, step, _), count in fired.items():
        if count > 1:
            yield f"step {step} of link {link_id} fired {count} times"
    if found.next_deadline_at is not None and found.next_deadline_at <= now:
        yield f"a deadline of {found.next_deadline_at} waits, and it is {now}"


def log_says_so(found: Evidence, now: datetime, random: Random) -> Iterator[str]:
    """Views, links, deadlines and outbox are what the log says (`replay --verify`), in whatever order it is folded."""
    report = verify(found.directory, found.policies)
    for difference in report.differences:
        yield f"replay: {difference.part} of case {difference.case_id} differs {difference.link_id or ''}".rstrip()
    facts: dict[str, dict[str, Fact]] = {}
    shuffled = list(found.log)
    random.shuffle(shuffled)
    for event in shuffled:
        facts.setdefault(event.case_id, {})[event.id] = fact_of(event.record)
    for case_id, stored in found.views.items():
        view = refold(case_id, facts.get(case_id, {}), found.policies)
        if stored != encode_view(view):
            yield f"case {case_id} is another one when its facts come in another order"
        yield from _passed(view, now)


def _passed(view: CaseView, now: datetime) -> Iterator[str]:
    for link in view.links.values():
        for deadline in pending(link):
            if deadline.at <= now:
                yield f"step {deadline.step} of link {link.id} passed at {deadline.at} and never fired"


def sealed_opens(found: Evidence, _: Books) -> Iterator[str]:
    """Whatever is sealed on the log can be opened: its key was durable before it."""
    with closing(KeyStore(found.directory / FILE_NAME, found.master)) as keys:
        sealer = Sealer(keys)
        for event in found.log:
            for label, token in event.record["data"].get(SEALED, {}).items():
                try:
                    sealer.open_bytes(event.case_id, event.id, label, token)
                except (KeyUnavailable, TokenRefused) as error:
                    yield f"the {label} part of {event.id} cannot be opened: {error}"


def nothing_in_clear(found: Evidence, books: Books) -> Iterator[str]:
    """No file holds a name or an address of anybody in clear."""
    secrets = {word for versions in books.sent.values() for sent in versions for word in _names(sent.event.data)}
    words = [form.encode() for word in sorted(secrets) for form in {word, word.casefold(), word.upper()}]
    for path in sorted(found.directory.iterdir()):
        content = path.read_bytes()
        if any(word in content for word in words):
            yield f"{path.name} holds somebody's name or address in clear"


def _names(data: object) -> Iterator[str]:
    """Surnames and addresses, wherever they are in a payload."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in ("surname", "address") and isinstance(value, str):
                yield value
            else:
                yield from _names(value)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from _names(item)


BOOK_LAWS: tuple[Callable[[Evidence, Books], Iterator[str]], ...] = (
    on_the_log,
    recorded_in_order,
    refused_is_kept,
    told_once,
    sealed_opens,
    nothing_in_clear,
)


def broken_laws(
    found: Evidence, books: Books, listeners: Sequence[Listener], now: datetime, random: Random
) -> Iterator[str]:
    """Everything that does not hold; `now` by the clock of the machine."""
    for law in BOOK_LAWS:
        yield from law(found, books)
    yield from everyone_heard(found, listeners)
    yield from deadlines_fired(found, now)
    yield from log_says_so(found, now, random)
