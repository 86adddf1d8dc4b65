"""The writer thread: many works, one transaction, one fsync. Implements `services.engine.transaction.Writer`.

Whatever waits when a group is complete becomes the next one, so a lone event is durable at once and a crowd shares the
price. While one group is stored and synced, the next runs already; should the first fail, both do. Callers hear of it
in one hop into each event loop, once their own group is durable.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from services.engine.sqlite.group import Committed, Group, Hook
from services.engine.sqlite.readers import Readers
from services.engine.sqlite.storing import Storing
from services.engine.transaction import StorageFailed, Transaction
from services.engine.works import Task, Works, answer

T = TypeVar("T")

GROUP_WORKS = 256
"""Works in one transaction at most."""
GROUP_EVENTS = 1_000
"""Events after which a transaction takes no further work: bounds how long an alert waits for others' events."""
LARGE_EVENTS = 64
"""Events from which on a group is stored in the other thread in any case. A small one after which nothing waits is
stored where it ran: that is sooner."""


class SqliteWriter:
    """Owns the writing connection; its thread runs from `start` to `close`."""

    def __init__(self, group: Group, readers: Readers, committed: Callable[[Committed], None]) -> None:
        """`committed` is called after each commit, in the thread that stored it, before its callers hear."""
        self._group = group
        self._readers = readers
        self._committed = committed
        self._hooks: list[Hook] = []
        self._works = Works()
        self._failure: str | None = None
        self._not_stored = False
        """Whether the group that was handed over last failed, and what is in memory with it."""
        self._storing = Storing()
        self._thread = threading.Thread(target=self._run, name="ccr-writer", daemon=True)

    @property
    def failure(self) -> str | None:
        """Why the newest group was refused by the disk; None once a commit succeeds."""
        return self._failure

    def start(self) -> None:
        """Start the threads."""
        self._storing.start()
        self._thread.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in the current group's transaction; returns its result once the group is durable.

        A caller cancelled while it waits does not know whether its work became durable.
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
        self._storing.close()

    def _run_group(self, first: Task) -> None:
        """Run `first` and whatever waits beside it, and see to it that they are stored."""
        tasks = [first]
        try:
            self._begin()
            self._run_works(tasks)
            large = self._group.events >= LARGE_EVENTS
            self._group.hand_over(self._hooks)
        except StorageFailed as failed:
            self._storing.finish()
            self._give_up(tasks, failed)
            return
        if large or self._works.waiting:
            self._storing.hand(partial(self._store, tasks))
        else:
            self._store(tasks)

    def _begin(self) -> None:
        if self._storing.busy:
            self._group.begin(self._land)
            return
        failed, self._not_stored = self._not_stored, False
        if failed:
            self._group.give_up()
        else:
            self._group.landed()
        self._group.begin()

    def _land(self) -> None:
        """Wait for the group before; what runs now was worked out from what that wrote, so it fails with it."""
        self._storing.finish()
        if self._not_stored:
            raise StorageFailed(self._failure or "the writes before could not be stored")
        self._group.landed()

    def _run_works(self, tasks: list[Task]) -> None:
        """Run the first of `tasks`, and add and run what waits; raises `StorageFailed` when all failed with one."""
        task: Task | None = tasks[0]
        while task is not None:
            try:
                task.result = self._group.run(task.work)
            except StorageFailed:
                raise
            except BaseException as error:  # whatever it is, its caller must hear and the others go on
                task.error = error
            full = len(tasks) == GROUP_WORKS or self._group.events >= GROUP_EVENTS
            task = None if full else self._works.next(wait=False)
            if task is not None:
                tasks.append(task)

    def _store(self, tasks: list[Task]) -> None:
        """Store the group that was handed over, and answer; called in either thread."""
        try:
            done = self._group.store()
            self._failure = None
            self._committed(done)
        except StorageFailed as failed:
            self._not_stored = True
            self._refuse(tasks, failed)
        answer(tasks)

    def _give_up(self, tasks: list[Task], failed: StorageFailed) -> None:
        self._not_stored = False
        try:
            self._group.give_up()
        except StorageFailed as worse:
            failed = worse
        self._refuse(tasks, failed)
        answer(tasks)

    def _refuse(self, tasks: list[Task], failed: StorageFailed) -> None:
        self._failure = str(failed)
        for task in tasks:
            task.error = StorageFailed(str(failed))
            task.error.__cause__ = failed.__cause__
