"""API keys: shown once, kept as a hash, refused at once when revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.engine.sqlite import SqliteEngine, open_engine
from services.intake import api_keys
from services.intake.api_keys import ApiKeys, KeyRefused
from tests.support.doors import SetClock


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    async with open_engine(tmp_path) as engine:
        yield engine


async def test_issued_key_names_its_agency(engine: SqliteEngine) -> None:
    keys = ApiKeys(engine.writer, SetClock())
    issued = await keys.issue("jail", "booking system")
    known = await keys.authenticate(issued.text)
    assert known is not None
    assert (known.key_id, known.agency) == (issued.key_id, "jail")
    assert issued.text.startswith(f"ccr_{issued.key_id}_")


async def test_secret_is_neither_stored_nor_shown(engine: SqliteEngine, tmp_path: Path) -> None:
    keys = ApiKeys(engine.writer, SetClock())
    issued = await keys.issue("jail")
    secret = issued.text.rpartition("_")[2]
    assert secret not in repr(issued)
    assert secret not in repr(await keys.all())
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert secret.encode() not in content
        assert bytes.fromhex(secret) not in content


async def test_wrong_unknown_and_malformed_keys_are_nobody(engine: SqliteEngine) -> None:
    keys = ApiKeys(engine.writer, SetClock())
    issued, other = await keys.issue("jail"), await keys.issue("le")
    secret = issued.text.rpartition("_")[2]
    for text in (
        "",
        "ccr_",
        issued.text[:-1],
        issued.text + "0",
        issued.text.upper(),
        f"ccr_{issued.key_id}_{'0' * 64}",
        f"ccr_{other.key_id}_{secret}",
        f"ccr_{'0' * 16}_{secret}",
    ):
        assert await keys.authenticate(text) is None


async def test_revoked_key_is_refused_at_once(engine: SqliteEngine) -> None:
    keys = ApiKeys(engine.writer, SetClock())
    issued = await keys.issue("jail")
    assert await keys.authenticate(issued.text) is not None
    await keys.revoke(issued.key_id)
    assert await keys.authenticate(issued.text) is None
    await keys.revoke(issued.key_id)
    [listed] = await keys.all()
    assert listed.revoked_at is not None


async def test_key_revoked_elsewhere_is_refused_when_the_cache_expires(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(api_keys, "monotonic", lambda: now[0])
    here, elsewhere = ApiKeys(engine.writer, SetClock()), ApiKeys(engine.writer, SetClock())
    issued = await here.issue("jail")
    assert await here.authenticate(issued.text) is not None
    await elsewhere.revoke(issued.key_id)
    now[0] += api_keys.CACHED_S
    assert await here.authenticate(issued.text) is None


async def test_key_is_not_read_again_while_it_is_cached_and_the_cache_is_bounded(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "MAX_CACHED", 2)
    keys = ApiKeys(engine.writer, SetClock())
    issued = [await keys.issue("le") for _ in range(4)]
    for key in issued:
        assert await keys.authenticate(key.text) is not None
    assert len(keys._cache) == 2
    monkeypatch.setattr(engine.writer.__class__, "read", None)
    assert await keys.authenticate(issued[-1].text) is not None


async def test_what_cannot_be_issued_or_revoked_is_told(engine: SqliteEngine) -> None:
    keys = ApiKeys(engine.writer, SetClock())
    with pytest.raises(KeyRefused, match="use one of"):
        await keys.issue("fbi")
    with pytest.raises(KeyRefused, match="label"):
        await keys.issue("le", "x" * 65)
    with pytest.raises(KeyRefused, match="no API key"):
        await keys.revoke("0" * 16)
    assert await keys.all() == []
