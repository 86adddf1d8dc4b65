"""The thread that stores one group while the writer's thread runs the next."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Storing:
    """One job at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._job: Callable[[], None] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ccr-storing", daemon=True)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        with self._changed:
            return self._job is not None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def hand(self, job: Callable[[], None]) -> None:
        """Do this next; call `finish` before. The job must not raise."""
        with self._changed:
            self._job = job
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait until nothing is under way."""
        with self._changed:
            while self._job is not None:
                self._changed.wait()

    def close(self) -> None:
        """Finish, and end the thread."""
        self.finish()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            finally:
                with self._changed:
                    self._job = None
                    self._changed.notify_all()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while self._job is None and not self._closing:
                self._changed.wait()
            return self._job
