"""A command that serves HTTP until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from services.cli.refused import Refused


def run_serving(main: Coroutine[Any, Any, None]) -> None:
    """Run it in the kind of event loop that uvicorn would choose; what it logs quotes nothing."""
    import uvicorn

    from services.engine.content_free import log_without_content

    log_without_content(logging.WARNING)
    factory = uvicorn.Config(None).get_loop_factory()  # type: ignore[arg-type]
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def until_stopped(stopping: asyncio.Event, serving: asyncio.Task[None], *, besides: str = "") -> None:
    """Return once `stopping` is set.

    Raises `Refused` when the server ends before; `besides` ends that sentence with what did not suffer.
    """
    asked = asyncio.create_task(stopping.wait())
    await asyncio.wait({asked, serving}, return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        asked.cancel()
        raise Refused(f"the HTTP server ended by itself; what it said is above{besides}")
