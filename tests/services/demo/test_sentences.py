"""Alerts as sentences, and the board that counts them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.demo.board import Board
from services.demo.sentences import duration, sentence

CHICAGO = ZoneInfo("America/Chicago")
DUE = "2026-02-04T04:29:00Z"  # Tue 22:29 in Chicago


def alert(
    kind: str, at: str = "2026-02-04T04:41:00Z", *, to: tuple[str, str] = ("jail", "watch commander"), **link: Any
):
    whole = {
        "id": "l1",
        "rule": "L17a",
        "agency": "jail",
        "role": "watch commander",
        "state": "opened",
        "overdue": False,
        "escalated_to": 0,
        "due_at": DUE,
        **link,
    }
    data = {"link": whole, "to_agency": to[0], "to_role": to[1], "rule_title": "Tell the victim before the release"}
    return {"type": f"link.{kind}", "time": at, "caseid": "c1", "data": data}


OWES = "Tue 22:41 Jail · watch commander owes: tell the victim before the release — "


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (alert("opened", due_at="2026-02-04T05:00:00Z"), "due Tue 23:00"),
        (alert("opened", due_at="2026-03-04T05:00:00Z"), "due 03 Mar"),
        (alert("acknowledged"), "received"),
        (alert("satisfied", ended_at="2026-02-04T04:20:00Z"), "done"),
        (alert("satisfied", ended_at="2026-02-04T04:41:00Z"), "done, 12 min late"),
        (alert("overdue"), "overdue"),
        (alert("escalated", to=("jail", "jail administrator")), "overdue by 12 min, escalated to jail administrator"),
        (
            alert("escalated", to=("ccr", "systems coordinator")),
            "overdue by 12 min, escalated to systems coordinator, Tracking entity",
        ),
        (
            alert("escalated", to=("jail", "jail lieutenant"), due_at="2026-02-04T05:01:00Z"),
            "due in 20 min, jail lieutenant warned",
        ),
        (alert("cancelled"), "no longer owed: what opened it was corrected"),
        (alert("reopened"), "owed again: what had answered it was taken back"),
        (alert("waived"), "waived, with the reason on record"),
    ],
)
def test_an_alert_says_who_owes_what_and_what_became_of_it(told: dict[str, Any], words: str) -> None:
    assert sentence(told, CHICAGO) == OWES + words


def test_durations_are_told_in_two_units() -> None:
    told = [duration(timedelta(minutes=m)) for m in (0, 12, 65, 24 * 60, 3 * 24 * 60 + 59)]
    assert told == ["0 min", "12 min", "1 h 5 min", "1 d", "3 d 59 min"]


def test_board_counts_a_link_once_in_its_most_pressing_state() -> None:
    board = Board(CHICAGO, {"c1": "maple"})
    assert board.heard(alert("opened")) is not None
    assert board.heard(alert("notified")) is None
    board.heard(alert("overdue", overdue=True))
    board.heard(alert("escalated", overdue=True, escalated_to=1))
    [(name, counts)] = board.rows(9)
    assert (name, dict(counts)) == ("maple", {"escalated": 1})
    board.heard(alert("satisfied", overdue=True, state="satisfied", ended_at="2026-02-04T04:50:00Z"))
    assert dict(board.rows(9)[0][1]) == {"done": 1}
    assert board.kinds.total() == 5


def test_a_cancelled_link_leaves_the_board() -> None:
    board = Board(CHICAGO, {})
    board.heard(alert("opened"))
    board.heard(alert("cancelled", state="cancelled"))
    assert board.rows(9) == []


def test_board_shows_the_cases_that_changed_last() -> None:
    board = Board(CHICAGO, {"c1": "maple", "c2": "birch", "c3": "cedar"})
    for case_id, link_id in (("c1", "l1"), ("c2", "l2"), ("c3", "l3"), ("c1", "l4")):
        board.heard({**alert("opened", id=link_id), "caseid": case_id})
    assert [name for name, _ in board.rows(2)] == ["cedar", "maple"]
    assert [name for name, _ in board.rows(9)] == ["birch", "cedar", "maple"]
