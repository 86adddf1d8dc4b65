"""The comparison after a storm finds what it is there to find. Nothing here needs Kafka."""

from __future__ import annotations

import pytest

from tests.faults.comparing import Differences, Differs, Said, compared, compared_views
from tests.faults.storm import Totals

OPENED = Said("t1", "case-1", b"opened", "link-1 opened")
OVERDUE = Said("t2", "case-1", b"overdue", "link-1 overdue")
ELSEWHERE = Said("t3", "case-2", b"opened", "link-2 opened")
WANTED = [OPENED, OVERDUE, ELSEWHERE]


def test_the_same_differs_in_nothing_and_what_is_written_again_is_dropped() -> None:
    found = compared("transition", WANTED, [OPENED, ELSEWHERE, OPENED, OVERDUE, OVERDUE])
    assert not found
    assert found == Differences(repeated=2)


def test_what_is_missing_is_lost() -> None:
    assert compared("transition", WANTED, [OPENED, ELSEWHERE]).lost == ["transition t2"]


def test_one_id_with_two_contents_is_twice() -> None:
    other = Said("t2", "case-1", b"overdue, since noon", "link-1 overdue")
    assert compared("transition", WANTED, [*WANTED, other]).twice == ["transition t2"]
    assert compared("transition", WANTED, [OPENED, other, OVERDUE, ELSEWHERE]) == Differences(twice=["transition t2"])


def test_the_same_told_under_another_id_is_twice() -> None:
    again = Said("t9", "case-1", b"overdue", "link-1 overdue")
    assert compared("transition", WANTED, [*WANTED, again]) == Differences(twice=["transition t9"])


def test_another_content_and_what_was_never_to_be_are_different() -> None:
    other = Said("t3", "case-2", b"satisfied", "link-2 opened")
    foreign = Said("t7", "case-2", b"waived", "link-2 waived")
    found = compared("transition", WANTED, [OPENED, OVERDUE, other, foreign])
    assert found == Differences(different=["transition t3", "transition t7"])


def test_another_order_in_a_case_is_told_of_and_another_order_of_cases_is_none() -> None:
    assert compared("transition", WANTED, [OVERDUE, OPENED, ELSEWHERE]).disordered == ["transitions of case-1"]
    assert not compared("transition", WANTED, [ELSEWHERE, OPENED, OVERDUE])


def test_the_order_is_that_of_what_a_reader_sees_first() -> None:
    assert not compared("transition", WANTED, [OPENED, OVERDUE, OPENED, ELSEWHERE])
    assert compared("transition", WANTED, [OVERDUE, OPENED, OVERDUE, ELSEWHERE]).disordered


def test_a_view_is_lost_or_different() -> None:
    found = compared_views({"case-1": b"one", "case-2": b"two"}, {"case-1": b"none"})
    assert found == Differences(lost=["view case-2"], different=["view case-1"])


@pytest.mark.parametrize("planted", [[OPENED, ELSEWHERE], [*WANTED, Said("t2", "case-1", b"again", "link-1 overdue")]])
def test_a_storm_with_a_planted_loss_or_duplicate_fails_and_says_which_without_content(planted: list[Said]) -> None:
    totals = Totals(seed=1)
    with pytest.raises(Differs, match="transition t2") as failed:
        totals.judge(compared("transition", WANTED, planted))
    assert (totals.lost, totals.twice) in ((1, 0), (0, 1))
    assert "again" not in str(failed.value)
