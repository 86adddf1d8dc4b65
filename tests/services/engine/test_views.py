"""Views that are not used for a while are packed, then read again: always the same view, within the bounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ccr_events.core.codec import encode_view
from ccr_events.core.fold import fold
from ccr_events.core.view import CaseView
from services.casebook.replay import verify
from services.engine.sqlite import SqliteEngine, open_engine, views
from services.engine.sqlite.views import SqliteViews
from services.engine.transaction import StorageFailed, Transaction
from tests.support.core_rules import BOOK, fact
from tests.support.records import append_all, record

CASES = 40


def cache_of(engine: SqliteEngine) -> SqliteViews:
    return engine.writer._group._transaction.views


@pytest.mark.parametrize("packed_bytes", [2**20, 4_000, 1])
async def test_a_view_is_the_same_ready_packed_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed_bytes: int
) -> None:
    monkeypatch.setattr(views, "ready_facts", lambda _: 12)
    monkeypatch.setattr(views, "PACKED_BYTES", packed_bytes)
    rng, expected = random.Random(5), dict[str, CaseView]()
    async with open_engine(tmp_path) as engine:
        cache = cache_of(engine)
        for number in range(1, 300):
            case = f"case-{rng.randrange(CASES)}"
            corrects = number - 1 if rng.random() < 0.1 else None
            f = fact(number, rng.choice(("arrest.made", "jail.booked")), number % 50, case_id=case, corrects=corrects)
            expected[case] = fold(expected.get(case) or CaseView(case), record(f).fact, BOOK)
            await engine.writer.write(lambda tx, f=f: append_all(tx, [f]))  # type: ignore[misc]
            assert cache._ready_facts == sum(len(view.facts) for view in cache._ready.values())
            assert cache._packed_bytes == sum(map(len, cache._packed.values())) <= packed_bytes
            assert cache._ready_facts <= 12 or len(cache._ready) == 1
            assert not cache._ready.keys() & cache._packed.keys()

        def stored(tx: Transaction) -> dict[str, bytes]:
            return {case: encode_view(tx.views.get(case)) for case in expected}

        assert await engine.writer.write(stored) == {case: encode_view(view) for case, view in expected.items()}
    assert verify(tmp_path, BOOK).identical


async def test_after_a_failed_group_nothing_packed_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "ready_facts", lambda _: 1)
    async with open_engine(tmp_path) as engine:
        for number in (1, 2, 3):
            f = fact(number, "arrest.made", number, case_id=f"case-{number}", dv="yes")
            await engine.writer.write(lambda tx, f=f: append_all(tx, [f]))  # type: ignore[misc]
        await engine.writer.write(lambda tx: tx.views.get("case-1"))
        cache = cache_of(engine)
        assert cache._packed

        def refuse() -> None:
            raise OSError("the key store cannot be written")

        engine.writer.before_commit(refuse)
        with pytest.raises(StorageFailed):
            await engine.writer.write(lambda tx: append_all(tx, [fact(4, "jail.booked", 4, case_id="case-1")]))
        engine.writer._hooks.clear()
        assert not cache._packed
        assert not cache._ready
        assert len((await engine.writer.write(lambda tx: tx.views.get("case-1"))).facts) == 1
