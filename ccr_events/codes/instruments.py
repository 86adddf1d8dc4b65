"""Risk instruments: item keys, answers, results and scoring. No question text: the instruments are owned works.

Sources: Lethality Assessment Program forms (Maryland Network Against Domestic Violence) and NIJ's closer look at
them; the Danger Assessment's description (dangerassessment.org); published descriptions of the ODARA. Cut-offs that
were not read in a public source are parameters here, set by local policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Instrument(StrEnum):
    """Which instrument was used."""

    LAP = "LAP"
    ODARA = "ODARA"
    DANGER_ASSESSMENT_LE = "DA_LE"
    BLUEPRINT = "BLUEPRINT"


class LapAnswer(StrEnum):
    """An answer to a LAP item."""

    YES = "yes"
    NO = "no"
    NOT_ANSWERED = "not_answered"


class LapResult(StrEnum):
    """Result of a LAP screen."""

    SCREENED_IN_PROTOCOL = "screened_in_protocol"
    SCREENED_IN_OFFICER = "screened_in_officer"
    NOT_SCREENED_IN = "not_screened_in"
    REFUSED_ALL = "refused_all"


SCREENED_IN = frozenset({LapResult.SCREENED_IN_PROTOCOL, LapResult.SCREENED_IN_OFFICER})
"""The results that mean high danger."""

LAP_FIRST = ("q1", "q2", "q3")
"""Items of which one yes screens in."""
LAP_SECOND = ("q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11")
"""Items of which `LAP_SECOND_NEEDED` yes screen in."""
LAP_SECOND_NEEDED = 4


def score_lap(answers: Mapping[str, LapAnswer], *, officer_belief: bool = False) -> LapResult:
    """The result of a LAP screen by item key (`q1` … `q11`; an absent key is not answered).

    A protocol screen-in goes before the officer's own belief, which goes before a refusal.
    """
    given = {key: answers.get(key, LapAnswer.NOT_ANSWERED) for key in LAP_FIRST + LAP_SECOND}
    second = sum(given[key] is LapAnswer.YES for key in LAP_SECOND)
    if any(given[key] is LapAnswer.YES for key in LAP_FIRST) or second >= LAP_SECOND_NEEDED:
        return LapResult.SCREENED_IN_PROTOCOL
    if officer_belief:
        return LapResult.SCREENED_IN_OFFICER
    if all(answer is LapAnswer.NOT_ANSWERED for answer in given.values()):
        return LapResult.REFUSED_ALL
    return LapResult.NOT_SCREENED_IN


class OdaraAnswer(StrEnum):
    """Score of an ODARA item."""

    PRESENT = "1"
    ABSENT = "0"
    MISSING = "?"


ODARA_ITEMS = (
    "prior_domestic_assault",
    "prior_nondomestic_assault",
    "prior_sentence_30_days",
    "failed_conditional_release",
    "threat_at_index",
    "confinement_at_index",
    "victim_fears_assault",
    "more_than_one_child",
    "victim_child_with_previous_partner",
    "violence_to_others",
    "substance_indicators",
    "assault_when_pregnant",
    "barrier_to_support",
)
"""Keys of the 13 items."""


@dataclass(frozen=True, slots=True)
class OdaraScore:
    """The sum of items present and the bin it falls in."""

    total: int
    bin: int
    """Index into the bins given."""


def score_odara(
    answers: Mapping[str, OdaraAnswer], *, bins: Sequence[tuple[int, int]], most_missing: int
) -> OdaraScore | None:
    """Score an ODARA; None when more than `most_missing` items are missing (it must then not be scored).

    `bins` are inclusive (lowest, highest) totals. Raises `ValueError` when no bin holds the total.
    """
    given = [answers.get(key, OdaraAnswer.MISSING) for key in ODARA_ITEMS]
    if given.count(OdaraAnswer.MISSING) > most_missing:
        return None
    total = given.count(OdaraAnswer.PRESENT)
    for number, (lowest, highest) in enumerate(bins):
        if lowest <= total <= highest:
            return OdaraScore(total, number)
    raise ValueError(f"no ODARA bin holds a total of {total}: the bins of the policy must cover 0 to 13")


class DangerLevel(StrEnum):
    """Level of a Danger Assessment; its total and level are stored, its answers never."""

    VARIABLE = "variable"
    INCREASED = "increased"
    SEVERE = "severe"
    EXTREME = "extreme"


def danger_level(total: int, *, increased_from: int, severe_from: int, extreme_from: int) -> DangerLevel:
    """The level of a Danger Assessment total; the three cut-offs are local policy and must rise."""
    if not increased_from < severe_from < extreme_from:
        raise ValueError("the cut-offs of the Danger Assessment must rise from increased to extreme")
    if total >= extreme_from:
        return DangerLevel.EXTREME
    if total >= severe_from:
        return DangerLevel.SEVERE
    return DangerLevel.INCREASED if total >= increased_from else DangerLevel.VARIABLE
