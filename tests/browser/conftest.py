"""A county with a real backbone, its HTTP server, and a browser that looks at the live page."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from ccr_events.agencies import Agency
from services.demo.acts import Publish, acts
from services.demo.clock import ScriptClock
from services.demo.desks import Desks
from services.demo.scenario import load_week
from services.embedded import Backbone, Settings, open_backbone
from services.engine.ports import Submission
from services.portal.app import create_app
from services.portal.server import served

WIDE = (1440, 900)
PHONE = (390, 844)
PATIENCE_MS = 15_000
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Seen:
    """A page, and what it complained of and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    async def open(self, address: str) -> Page:
        await self.page.goto(address)
        return self.page

    async def live(self, county: County, agency: str = "ccr") -> Page:
        await self.open(county.page(agency))
        await expect(self.page.locator("#line")).to_have_attribute("data-state", "live")
        return self.page


@dataclass
class County:
    """A backbone at the beginning of the scripted week, and everybody's keys."""

    backbone: Backbone
    clock: ScriptClock
    keys: dict[str, str]
    script: list[Publish]
    port: int = 0
    url: str = ""

    def page(self, agency: str = "ccr") -> str:
        return f"{self.url}/#key={self.keys[agency]}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Desks]:
        """An HTTP server, on the same port when it is started again."""
        async with served(create_app(self.backbone), port=self.port) as (url, _), Desks(url, self.keys) as desks:
            self.url, self.port = url, urlsplit(url).port or 0
            yield desks

    async def happens(self, history: str, *types: str) -> None:
        """The first events of these types in a history of the script, each at its own time."""
        for name in types:
            act = next(act for act in self.script if act.history == history and act.event.type == name)
            self.clock.move_to(act.at)
            (receipt,) = await self.backbone.publisher.submit([Submission(act.event, act.agency, "test")])
            assert receipt.status == "accepted", receipt

    async def the_link(self, rule: str) -> Any:
        """The open link of a rule."""
        (link,) = [link for link in await self.backbone.links.links() if link.rule == rule]
        return link


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a browser: apt-get install --no-install-recommends chromium")
        pytest.skip("no chromium on this machine (apt-get install --no-install-recommends chromium)")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def county(tmp_path: Path) -> AsyncIterator[County]:
    week = load_week()
    script = [act for act in acts(week) if isinstance(act, Publish)]
    clock = ScriptClock(script[0].at)
    settings = Settings(data=tmp_path / "data", clock=clock, release_is_live=week.release_is_live)
    async with open_backbone(settings) as backbone:
        keys = {agency.value: await backbone.issue_key(agency) for agency in Agency}
        yield County(backbone, clock, keys, script)


@pytest_asyncio.fixture(loop_scope="session")
async def desks(county: County) -> AsyncIterator[Desks]:
    async with county.serving() as desks:
        yield desks


@pytest_asyncio.fixture(loop_scope="session")
async def look(browser: Browser) -> AsyncIterator[Any]:
    """look(size, scheme) → a page of its own, as `Seen`."""
    async with AsyncExitStack() as stack:

        async def new(size: tuple[int, int] = WIDE, scheme: Any = "light") -> Seen:
            width, height = size
            context = await browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
            )
            stack.push_async_callback(context.close)
            seen = Seen(await context.new_page())
            seen.page.on("console", lambda told: seen.complaints.append(told.text) if told.type != "log" else None)
            seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            seen.page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))
            return seen

        yield new
