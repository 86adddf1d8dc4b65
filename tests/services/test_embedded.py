"""The backbone put together: what it must refuse to start with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.embedded import MASTER_KEY_FILE, Settings, open_backbone
from services.engine.ports import Submission
from services.monitor.read_model.store import EVENTS_STREAM, ReadModelRefused, open_read_model
from services.sealing.keys import KeyStoreError
from services.sealing.keystore import FILE_NAME
from tests.support.doors import an_event


async def test_a_log_whose_key_store_is_missing_is_not_opened_with_new_keys(tmp_path: Path) -> None:
    async with open_backbone(Settings(tmp_path)) as backbone:
        await backbone.publisher.submit([Submission(an_event(1, narrative="what he did"), "le", "0" * 16)])
    kept = tmp_path / "kept"
    (tmp_path / FILE_NAME).rename(kept)
    (tmp_path / MASTER_KEY_FILE).rename(tmp_path / "master")
    with pytest.raises(KeyStoreError, match="put it back"):
        async with open_backbone(Settings(tmp_path)):
            pass
    assert not (tmp_path / FILE_NAME).exists()
    assert not (tmp_path / MASTER_KEY_FILE).exists()
    kept.rename(tmp_path / FILE_NAME)
    (tmp_path / "master").rename(tmp_path / MASTER_KEY_FILE)
    async with open_backbone(Settings(tmp_path)) as backbone:
        first, *_ = await backbone.log.read(0)
        assert first.event_id == an_event(1).id


async def test_a_read_model_holds_what_was_accepted_and_nothing_that_is_sealed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'read-model.sqlite'}"
    async with open_backbone(Settings(tmp_path / "data", read_model=address)) as backbone:
        await backbone.publisher.submit([Submission(an_event(1, narrative="what he did"), "le", "0" * 16)])
        model = open_read_model(address)
        async with asyncio.timeout(20):
            while model.position(EVENTS_STREAM) == 0:
                await asyncio.sleep(0.01)
        model.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("read-model.sqlite*"))
    assert an_event(1).id.encode() in stored
    assert b"what he did" not in stored


async def test_a_read_model_that_cannot_be_opened_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ReadModelRefused, match="sqlite:///FILE"):
        async with open_backbone(Settings(tmp_path / "data", read_model="mysql://invented@localhost/ccr")):
            pass
