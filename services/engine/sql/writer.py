"""The writer thread: many works, one transaction, one sending. Implements `services.engine.transaction.Writer`.

Whatever waits when a group is done becomes the next one, so a lone event goes at once and a crowd shares the price.
Callers hear of it once what they wrote is committed and, when it was events, acknowledged by Kafka.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from services.engine.sql.group import Group, Hook
from services.engine.sql.readers import Readers
from services.engine.sql.turn import TurnNeeded
from services.engine.transaction import StorageFailed, Transaction
from services.engine.works import Task, Works, answer

T = TypeVar("T")

GROUP_WORKS = 256
"""Works in one transaction at most."""
GROUP_EVENTS = 1_000
"""Events after which a transaction takes no further work: bounds how long an alert waits for others' events."""

_log = logging.getLogger(__name__)


class SqlWriter:
    """Owns the writing connection; its thread runs from `start` to `close`."""

    def __init__(self, group: Group, readers: Readers) -> None:
        self._group = group
        self._readers = readers
        self._hooks: list[Hook] = []
        self._works = Works()
        self._turn_first = False
        """Whether the work that comes first waits for a group that begins with the turn."""
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="ccr-sql-writer", daemon=True)

    @property
    def failure(self) -> str | None:
        """Why the newest group was refused by the database or by Kafka; None once one succeeds."""
        return self._failure

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in the current group's transaction; returns its result once the group is durable, and the events
        in it acknowledged by Kafka.

        A caller cancelled while it waits does not know whether its work became durable. After `StorageFailed` it may
        have: sent again, its events come back as known. A work may be run twice, the first time being undone, when it
        looks for an event only after it has read or written something else.
        """
        return await self._works.put(work)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query against the last durable state, in another thread."""
        return await self._readers.run(query)

    def before_commit(self, hook: Hook) -> None:
        """Call `hook` in the writer's thread before each commit."""
        self._hooks.append(hook)

    async def close(self) -> None:
        """Finish what was queued, then end the thread."""
        self._works.close()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (first := self._works.next(wait=True)) is not None:
            self._run_group(first)
        self._group.give_up()

    def _run_group(self, first: Task) -> None:
        """Run `first` and whatever waits beside it, commit, send, and answer."""
        tasks = [first]
        try:
            if self._turn_first:
                self._turn_first = False
                self._group.claim()
            self._run_works(tasks)
            self._group.commit(self._hooks)
            self._group.send()
        except StorageFailed as failed:
            self._group.give_up()
            self._refuse(tasks, failed)
            answer(tasks)
            return
        self._failure = None
        answer(tasks)
        self._end()

    def _run_works(self, tasks: list[Task]) -> None:
        """Run the first of `tasks`, and add and run what waits; raises `StorageFailed` when all failed with one."""
        task: Task | None = tasks[0]
        while task is not None:
            try:
                task.result = self._group.run(task.work)
            except StorageFailed:
                raise
            except TurnNeeded:
                tasks.remove(task)
                self._works.put_back(task)
                self._turn_first = True
                return
            except BaseException as error:  # whatever it is, its caller must hear and the others go on
                task.error = error
            full = len(tasks) == GROUP_WORKS or self._group.events >= GROUP_EVENTS
            task = None if full else self._works.next(wait=False)
            if task is not None:
                tasks.append(task)

    def _end(self) -> None:
        try:
            self._group.end()
        except StorageFailed as failed:
            _log.warning("after a group was committed and sent: %s", str(failed))
            self._group.give_up()

    def _refuse(self, tasks: list[Task], failed: StorageFailed) -> None:
        self._failure = str(failed)
        for task in tasks:
            task.error = StorageFailed(str(failed))
            task.error.__cause__ = failed.__cause__
