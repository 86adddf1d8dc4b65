"""Who waits for the store says why, once for each reason, and that it is over."""

from __future__ import annotations

import pytest

from services.monitor.projection import patience
from services.monitor.projection.patience import Patience, StoreAway


async def test_each_reason_is_told_once_and_so_is_the_end_of_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(patience, "RETRY_S", (0.0,))
    reasons = ["it is away", "it is away", "it is full"]

    async def ask() -> int:
        if reasons:
            raise StoreAway(reasons.pop(0))
        return 7

    links = Patience("links")
    assert await links.until_it_answers(ask) == 7
    assert await links.until_it_answers(ask) == 7
    assert [entry.getMessage() for entry in caplog.records] == [
        "links: it is away",
        "links: it is full",
        "links: the store takes everything again",
    ]
