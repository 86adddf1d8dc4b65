"""The scripted week, published over HTTP as its agencies would, on both engines, and with both kinds of store: the same
views, links and log.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ccr_events.policy import load_policies
from services.demo.acts import acts, ends_at
from services.demo.desks import Desks
from services.demo.player import Player, pace_of
from services.demo.scenario import load_week
from services.engine.sql.snapshot import open_store_snapshot
from services.engine.sqlite.snapshot import open_snapshot
from services.sealing.master_key import load_master_key
from tests.contract.backbones import Made, UnderTest
from tests.contract.embedded import embedded
from tests.contract.judged import judged
from tests.contract.kafka import on_kafka
from tests.support.databases import empty_database
from tests.support.postgresql import postgresql

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
AT_ONCE_S = 0.001
"""The week is played as quickly as it goes."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store of the Kafka engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite'}"
        return
    with postgresql() as server, empty_database(server, "week") as address:
        yield address


async def test_the_same_week_makes_the_same_of_both_engines(tmp_path: Path, store: str) -> None:
    week = load_week()
    start = acts(week, 1)[0].at
    # What stands for a person in a case is a keyed hash.
    master_key = tmp_path / "master.key"
    load_master_key(master_key, create=True)
    async with embedded(tmp_path / "embedded", start, master_key, week.release_is_live) as one:
        calm = await played(one)
    (tmp_path / "kafka").mkdir()
    live = week.release_is_live
    async with on_kafka(tmp_path / "kafka", start, master_key, store=store, release_is_live=live) as other:
        made = await played(other)
    assert len(calm.log) > 250
    assert made.log == calm.log
    assert made.transitions == calm.transitions
    assert made.views == calm.views
    assert made.links == calm.links
    policies, middle = load_policies(), start + (ends_at(week) - start) / 2
    for at in (middle, ends_at(week)):
        here = judged(partial(open_snapshot, tmp_path / "embedded"), policies, at)
        there = judged(partial(open_store_snapshot, store), policies, at)
        assert there == here
        assert here.cases
    assert len(here.cases) > 3
    assert here.by_draft


async def played(backbone: UnderTest) -> Made:
    week = load_week()
    script = acts(week, 1)
    player = Player(
        acts=script,
        ends_at=ends_at(week),
        pace=pace_of(script, ends_at(week), AT_ONCE_S),
        clock=backbone.clock,
        desks=Desks("http://portal", backbone.keys, backbone.http),
        zone=week.county.zone,
        next_deadline=backbone.pending,
    )
    await player.play()
    return await backbone.made()
