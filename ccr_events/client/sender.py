"""Who empties a spool: one thread, in order, until everything has arrived.

What waits goes as one batch: a single event when it is quiet, a thousand after an outage. A failure is tried again
for ever, whether it is the network's or the disk's; only a spool that its key does not open ends the sending. Of
several processes on one spool the one that holds its lock sends, so that the order is kept.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic

import httpx

from ccr_events.client.delivery import Answered, Divide, KeyWrong, Later, Meaning, meaning
from ccr_events.client.spool import RefusedEvent, Spool, SpoolError, Waiting
from ccr_events.client.spool_key import SpoolKeyError
from ccr_events.client.waits import KEY_S, wait_s
from ccr_events.envelope import BATCH, MAX_BATCH_EVENTS

BATCH_BYTES = 4_000_000
"""Bytes after which a request takes no further event."""
LOOK_S = 1.0
"""Between looks for what other processes put in, and for a lock that another one holds."""
LOCK = "sender.lock"

_log = logging.getLogger(__name__)


class Sending(StrEnum):
    """What a sender is doing."""

    IDLE = "idle"  # nothing waits
    SENDING = "sending"
    RETRYING = "retrying"  # it failed, and is tried again
    KEY_REFUSED = "key_refused"  # nothing is sent until the key is accepted
    ELSEWHERE = "elsewhere"  # another process sends from this spool
    BROKEN = "broken"  # the key does not open the spool: nothing is sent until that is put right
    STOPPED = "stopped"


class Sender:
    """Sends from a spool over one HTTP client; start it once."""

    def __init__(
        self,
        open_spool: Callable[[], Spool],
        directory: Path,
        http: httpx.Client,
        *,
        on_refused: Callable[[RefusedEvent], None] | None = None,
    ) -> None:
        """`open_spool` is called on the sender's thread, whose connection is then its own. `on_refused` is called
        there for each event that is refused."""
        self._open_spool = open_spool
        self._directory = directory
        self._http = http
        self._on_refused = on_refused
        self._thread = Thread(target=self._run, name="ccr sender", daemon=True)
        self._wake, self._stop, self._lock = Flag(), Flag(), Lock()
        self._state, self._error = Sending.IDLE, ""
        self._counts: Counter[str] = Counter()
        self._most = MAX_BATCH_EVENTS
        self._failures = 0
        self._untold: set[int] = set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something was put in."""
        self._wake.set()

    def stop(self, wait_s: float) -> None:
        """Send nothing more after the request under way; waits for it, but no longer than this."""
        self._stop.set()
        self._wake.set()
        self._thread.join(wait_s)

    @property
    def state(self) -> Sending:
        """What it is doing."""
        with self._lock:
            return self._state

    @property
    def last_error(self) -> str:
        """Why the last try failed; empty once one succeeded. Holds nothing of an event."""
        with self._lock:
            return self._error

    @property
    def counts(self) -> dict[str, int]:
        """Events by what became of them since the start."""
        with self._lock:
            return dict(self._counts)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                with self._tried_again(), closing(self._open_spool()) as spool:
                    while not self._stop.is_set():
                        with self._tried_again():
                            self._send_in_turn(spool)
        except SpoolKeyError as error:
            self._say(Sending.BROKEN, str(error))
            _log.error("nothing is sent from the spool any more: %s", error)
        else:
            self._say(Sending.STOPPED, self.last_error)

    @contextmanager
    def _tried_again(self) -> Iterator[None]:
        """A full disk gets room, a process that writes comes to its end: what was begun in here is begun again."""
        try:
            yield
        except (SpoolError, OSError) as error:
            if str(error) != self.last_error:
                _log.warning("nothing can be sent from the spool, it is tried again: %s", error)
            self._later(str(error))

    def _send_in_turn(self, spool: Spool) -> None:
        # An empty database that one process holds locked: the one lock that is the same on every system, and that the
        # system takes back when the process dies.
        path = self._directory / LOCK
        try:
            connection = sqlite3.connect(path, timeout=0.0, isolation_level=None)
        except sqlite3.Error as error:
            raise SpoolError(f"{path} cannot be opened: {error}. Check its disk and its owner") from None
        with closing(connection) as lock:
            while not self._stop.is_set():
                try:
                    lock.execute("BEGIN EXCLUSIVE")
                except sqlite3.Error as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                        raise SpoolError(f"{path} cannot be locked: {error}. Check its disk and its owner") from None
                    self._say(Sending.ELSEWHERE, "")
                    self._stop.wait(LOOK_S)
                else:
                    break
            while not self._stop.is_set():
                with self._tried_again():
                    self._send_once(spool)

    def _send_once(self, spool: Spool) -> None:
        self._wake.clear()
        self._tell_refused(spool)
        waiting = spool.first(self._most, BATCH_BYTES)
        if not waiting:
            self._failures = 0
            self._say(Sending.IDLE, "")
            self._wake.wait(LOOK_S)
            return
        if self.state is not Sending.RETRYING:
            self._say(Sending.SENDING, self.last_error)
        match self._sent(waiting):
            case Answered() as answered:
                self._settled(spool, answered)
            case Divide():
                self._most = max(1, len(waiting) // 2)
            case KeyWrong(words):
                self._say(Sending.KEY_REFUSED, words)
                self._until_key_is_accepted()
            case Later(words, asked):
                self._later(words, asked)

    def _later(self, words: str, asked: float = 0.0) -> None:
        self._failures += 1
        self._say(Sending.RETRYING, words)
        self._stop.wait(max(wait_s(self._failures), asked))

    def _settled(self, spool: Spool, answered: Answered) -> None:
        spool.settle(answered.done, answered.refused)
        self._failures = 0
        self._most = min(self._most * 2, MAX_BATCH_EVENTS)
        with self._lock:
            self._counts.update(answered.statuses)
        self._say(Sending.SENDING, "")
        if self._on_refused is not None:
            self._untold.update(answered.refused)
        self._tell_refused(spool)

    def _tell_refused(self, spool: Spool) -> None:
        """Those of one batch at most: nothing more is sent until they can be read and were told."""
        if self._untold:
            kept = spool.refused(MAX_BATCH_EVENTS)
            untold, self._untold = self._untold, set()
            for refused in kept:
                if refused.seq in untold:
                    self._tell(refused)

    def _tell(self, refused: RefusedEvent) -> None:
        try:
            if self._on_refused is not None:
                self._on_refused(refused)
        except Exception as error:  # the adapter's own code must not end the sending; its text may quote an event
            _log.error("on_refused failed with %s", type(error).__name__)

    def _until_key_is_accepted(self) -> None:
        """Ask with an empty batch: no event is shown to a backbone that does not know us."""
        while not self._stop.wait(KEY_S):
            match self._sent([]):
                case KeyWrong():
                    pass
                case _:
                    return

    def _sent(self, waiting: list[Waiting]) -> Meaning:
        body = b"[" + b",".join(one.body for one in waiting) + b"]"
        query = {} if not waiting or waiting[0].alerting else {"alerting": "false"}
        began = monotonic()
        try:
            response = self._http.post("/v1/events", content=body, headers={"content-type": BATCH}, params=query)
        except httpx.HTTPError as error:
            spent = f" after {monotonic() - began:.0f} s" if isinstance(error, httpx.TimeoutException) else ""
            return Later(f"nothing answered ({type(error).__name__}{spent})")
        return meaning(response.status_code, response.headers.get("retry-after", ""), response.content, waiting)

    def _say(self, state: Sending, error: str) -> None:
        with self._lock:
            self._state, self._error = state, error
