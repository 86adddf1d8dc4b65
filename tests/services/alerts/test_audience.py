"""Who may see which link and which alert."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from services.alerts.audience import may_see, may_see_link
from tests.support.fakes import NOW, transition


@pytest.mark.parametrize(("agency", "sees"), [("le", True), ("jail", True), ("ccr", True), ("adv", False)])
def test_addressee_owing_agency_and_tracking_entity_see_an_alert(agency: str, sees: bool) -> None:
    assert may_see(agency, transition(1, to=("le", "sergeant"), owed_by=("jail", "desk"))) is sees


def test_rung_of_the_ladder_sees_the_link_only_once_it_is_reached() -> None:
    link = transition(1, owed_by=("jail", "desk")).link
    (step,) = link.steps
    reached = replace(link, steps=(replace(step, number=1, at=NOW, agency="pros", reached=True),))
    waiting = replace(link, steps=(replace(step, number=1, at=NOW, agency="pros", reached=False),))
    assert may_see_link("pros", reached)
    assert not may_see_link("pros", waiting)
    assert may_see_link("jail", waiting)
    assert may_see_link("ccr", waiting)
