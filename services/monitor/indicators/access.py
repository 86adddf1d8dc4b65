"""Access: calls, and how fast somebody comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccr_events.core.model import Fact
from services.monitor.indicators.case import Case, first_after
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Access"
_NATURES = frozenset({"dv_in_progress", "op_violation"})


def _calls(case: Case) -> Iterator[Fact]:
    for call in case.asked("call.received"):
        if call.data.get("dv") == "yes" or call.data.get("nature") in _NATURES:
            yield call


def _dv_calls(case: Case) -> Iterator[tuple[str, int]]:
    for _ in _calls(case):
        yield "", 1


def _dispatched(case: Case) -> Iterator[tuple[str, timedelta]]:
    for call in _calls(case):
        sent = first_after(call, case.all_of("call.dispatched"), "cad_no")
        if sent is not None:
            yield "", sent.occurred_at - call.occurred_at


def _on_scene(case: Case) -> Iterator[tuple[str, timedelta]]:
    for call in _calls(case):
        there = first_after(call, case.all_of("call.on_scene"), "cad_no")
        if there is not None:
            yield "", there.occurred_at - call.occurred_at


def _underway(case: Case) -> Iterator[tuple[str, timedelta]]:
    for call in _calls(case):
        sent = first_after(call, case.all_of("call.dispatched"), "cad_no")
        there = None if sent is None else first_after(sent, case.all_of("call.on_scene"), "cad_no")
        if sent is not None and there is not None:
            yield "", there.occurred_at - sent.occurred_at


_CALL = "calls flagged as domestic violence, or taken as such or as a violated order"

INDICATORS = (
    Indicator("dv_calls", _CHAPTER, "Domestic violence calls", Unit.COUNT, _CALL, "", _dv_calls),
    Indicator(
        "call_to_dispatch",
        _CHAPTER,
        "From call to dispatch",
        Unit.MINUTES,
        "from the call to the first unit sent to it",
        f"{_CALL} to which a unit was sent",
        _dispatched,
    ),
    Indicator(
        "dispatch_to_scene",
        _CHAPTER,
        "From dispatch to arrival",
        Unit.MINUTES,
        "from the first unit sent to the first unit there",
        f"{_CALL} at which a unit arrived",
        _underway,
    ),
    Indicator(
        "call_to_scene",
        _CHAPTER,
        "From call to arrival",
        Unit.MINUTES,
        "from the call to the first unit there",
        f"{_CALL} at which a unit arrived",
        _on_scene,
    ),
)
