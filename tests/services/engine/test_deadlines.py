"""Which deadlines of a link are still to come."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from ccr_events.core.model import LinkState, Step
from services.engine.deadlines import next_of, pending
from tests.support.envelopes import LINK

DUE = LINK.opened_at + timedelta(hours=1)
OPEN = replace(
    LINK,
    state=LinkState.OPENED,
    due_at=DUE,
    steps=(Step(0, DUE, "jail", "desk"), Step(1, DUE + timedelta(hours=1), "jail", "captain")),
)


def test_every_step_of_an_open_link_that_was_not_reached_is_pending() -> None:
    assert [d.step for d in pending(OPEN)] == [0, 1]
    assert next_of(OPEN) == DUE
    reached = replace(OPEN, steps=(replace(OPEN.steps[0], reached=True), OPEN.steps[1]))
    assert [d.step for d in pending(reached)] == [1]


def test_nothing_is_pending_once_the_act_was_done_in_time() -> None:
    done = replace(OPEN, state=LinkState.SATISFIED, ended_at=DUE)
    assert pending(done) == []
    assert next_of(done) is None


def test_an_act_done_late_while_no_timer_ran_is_still_told_to_be_late_and_nobody_is_called() -> None:
    late = replace(OPEN, state=LinkState.SATISFIED, ended_at=DUE + timedelta(hours=3))
    assert [d.step for d in pending(late)] == [0]
    told = replace(late, steps=(replace(late.steps[0], reached=True), late.steps[1]))
    assert pending(told) == []
