"""Work on a file in another thread, which has it until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def begun(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> asyncio.Task[T]:
    """Start `work` in another thread; to be given to `ended`."""
    return asyncio.ensure_future(asyncio.to_thread(work, *given, **named))


async def ended(task: asyncio.Task[T]) -> T:
    """The result, once the thread has let go, also when the caller is cancelled meanwhile: a thread cannot be ended,
    and whoever cancelled it closes the file next."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


async def in_thread(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """The result of `work`, done in another thread."""
    return await ended(begun(work, *given, **named))
