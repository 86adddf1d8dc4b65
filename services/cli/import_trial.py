"""A dry run on a real backbone that is thrown away: same door, same policies, in a private directory with a key of
its own, deleted in the end.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from ccr_events.envelope import EnvelopeError, read_structured
from services.embedded import Backbone, Settings, open_backbone
from services.engine.ports import FieldProblem, Receipt, Submission
from services.sealing.master_key import ENVIRONMENT

KEY_ID = "0" * 16
"""Stands for the key of whoever would publish."""
LOOK_S = 0.05
"""Between two looks whether deadlines that have passed are told."""
PATIENCE_S = 5.0
"""Without any news the timer has told what it can."""


@dataclass(slots=True)
class Trial:
    """A backbone for one look. Implements `import_targets.Target`."""

    runner: asyncio.Runner
    backbone: Backbone

    def publish(self, agency: str, forms: Sequence[Mapping[str, Any]], *, alerting: bool) -> list[Receipt] | None:
        """What the real one would answer."""
        read = [_read(form) for form in forms]
        submissions = [Submission(found, agency, KEY_ID, alerting) for found in read if not isinstance(found, Receipt)]
        taken = iter(self.runner.run(self.backbone.publisher.submit(submissions)) if submissions else ())
        return [found if isinstance(found, Receipt) else next(taken) for found in read]

    def settled(self, agency: str, quarantine_id: str) -> None:
        """Nothing: its quarantine goes with it."""

    def links(self) -> dict[str, int]:
        """What the events would make: links by what happened to them, and how many alerts would go out."""
        return self.runner.run(self._links())

    async def _links(self) -> dict[str, int]:
        await self._deadlines_told()
        last = await self.backbone.alerts.last_seq()
        kinds, alerts = Counter[str](), 0
        if last:
            async for page in self.backbone.alerts.follow(0):
                kinds.update(one.transition.kind.value for one in page if one.seq <= last)
                alerts += sum(one.alerting for one in page if one.seq <= last)
                if page and page[-1].seq >= last:
                    break
        return {**kinds, "alerts": alerts}

    async def _deadlines_told(self) -> None:
        """What passed long ago is told as soon as it is known: wait until the timer has told it."""
        seen, until_s = -1, monotonic() + PATIENCE_S
        while (at := await self.backbone.next_deadline()) is not None and at <= self.backbone.clock.now():
            last = await self.backbone.alerts.last_seq()
            if last != seen:
                seen, until_s = last, monotonic() + PATIENCE_S
            elif monotonic() > until_s:
                return
            await asyncio.sleep(LOOK_S)


@contextmanager
def trial(policies: Path | None = None) -> Iterator[Trial]:
    """A trial backbone, deleted with everything it held when the context ends."""
    # In memory where the system has such a directory: then nothing of it ever reaches a disk.
    with TemporaryDirectory(prefix="ccr-trial-") as directory, _without_master_key(), asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            settings = Settings(data=Path(directory), policies=policies)
            yield Trial(runner, runner.run(stack.enter_async_context(open_backbone(settings))))
        finally:
            runner.run(stack.aclose())


@contextmanager
def _without_master_key() -> Iterator[None]:
    """The county's own master key has no business in a throw-away backbone."""
    kept = os.environ.pop(ENVIRONMENT, None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ[ENVIRONMENT] = kept


def _read(form: Mapping[str, Any]) -> Any:
    try:
        return read_structured(form)
    except EnvelopeError as error:
        problem = FieldProblem(error.pointer, error.message)
        return Receipt("", "quarantined", title="The event cannot be read", problems=(problem,))
