"""No small number is told, in whichever way it could be worked out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest

from services.cli import asked
from services.monitor.indicators.catalogue import named
from services.monitor.indicators.shown import SMALLEST_CELL, Shown, shown
from services.monitor.indicators.spread import Spread
from services.monitor.indicators.tally import Share, Tally


def of_share(count: int, of: int, key: str = "arrest_rate", smallest: int = SMALLEST_CELL) -> Shown:
    agency = "le" if key in ("escalations", "overdue") else ""
    (found,) = shown(Tally({(key, agency): Share(count, of)}), named([key]), smallest)
    return found


def test_what_is_large_enough_is_told() -> None:
    found = of_share(30, 40)
    assert (found.value, found.count, found.of, found.hidden) == (75.0, 30, 40, False)
    assert found.text == "75.0 % (30 of 40)"


@pytest.mark.parametrize(
    ("count", "of"), [(0, 340), (3, 340), (5, 340), (337, 340), (340, 340), (2, 4), (0, 5), (5, 5)]
)
def test_small_cells_and_what_is_left_of_them_are_hidden(count: int, of: int) -> None:
    found = of_share(count, of)
    assert found.hidden
    assert found.value is None
    assert found.count is None
    told = [n for n in asdict(found).values() if isinstance(n, int) and not isinstance(n, bool)]
    assert set(told) <= {340}
    assert f"{count} of" not in found.text.replace("<6 of", "")


def test_no_two_small_counts_look_different() -> None:
    assert len({of_share(count, 340) for count in range(SMALLEST_CELL)}) == 1
    assert len({of_share(340 - count, 340) for count in range(SMALLEST_CELL)}) == 1
    assert len({of_share(of, of) for of in range(SMALLEST_CELL)}) == 1
    assert len({of_share(n, n, "dv_calls") for n in range(SMALLEST_CELL)}) == 1


def test_escalations_may_be_more_than_cases() -> None:
    assert of_share(30, 10, "escalations").text == "300.0 per 100 cases (30 of 10)"


def test_the_threshold_is_the_countys() -> None:
    assert of_share(3, 340, smallest=1).text == "0.9 % (3 of 340)"
    assert of_share(0, 340, smallest=1).value == 0.0
    assert of_share(10, 340, smallest=11).hidden


def test_lengths_need_enough_of_them() -> None:
    spread = Spread()
    for minutes in (10, 20, 30, 40, 50):
        spread.add(timedelta(minutes=minutes))
    tally = Tally({}, {("call_to_scene", ""): spread})
    (few,) = shown(tally, named(["call_to_scene"]))
    assert (few.hidden, few.value, few.of) == (True, None, None)
    spread.add(timedelta(minutes=60))
    (enough,) = shown(tally, named(["call_to_scene"]))
    assert (enough.value, enough.p90, enough.of) == (30.0, 60.0, 6)


def test_what_nobody_owes_has_no_row_and_what_never_happened_has_one() -> None:
    rows = list(shown(Tally(), named(["overdue", "dv_calls"])))
    assert [(row.key, row.hidden) for row in rows] == [("dv_calls", True)]


def test_the_command_has_the_same_threshold() -> None:
    assert asked.SMALLEST_CELL == SMALLEST_CELL
