"""A real backbone behind a bad network: requests get lost on the way in, answers on the way out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from services.embedded import Backbone, Settings, open_backbone
from services.portal.app import create_app
from services.portal.server import served

Message = MutableMapping[str, Any]


@dataclass
class Flaky:
    """An ASGI application around another that fails a share of the requests, half before and half after the work."""

    app: Any
    share: float
    random: Random = field(default_factory=lambda: Random(4))
    failed: int = 0

    @property
    def state(self) -> Any:
        return self.app.state

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or self.random.random() >= self.share:
            await self.app(scope, receive, send)
            return
        self.failed += 1
        if self.random.random() < 0.5:
            await self.app(scope, receive, _nowhere)
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def _nowhere(_: Message) -> None:
    """The answer got lost."""


@asynccontextmanager
async def flaky_backbone(directory: Path, share: float = 0.3) -> AsyncIterator[tuple[Backbone, Flaky, str]]:
    """The backbone, what stands before it, and its address."""
    async with open_backbone(Settings(data=directory)) as backbone:
        flaky = Flaky(create_app(backbone), share)
        async with served(flaky) as (url, _):  # type: ignore[arg-type]  # served as one
            yield backbone, flaky, url
