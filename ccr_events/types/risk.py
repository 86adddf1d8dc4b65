"""Risk screens at the scene. Item keys, answers and results; no question text, the instruments are owned works.

Answers are sealed: a leak to the suspect brings retaliation. What policies decide on is open: the score, which
local policy sets its own cut-offs for, and one flag for high danger.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, computed_field

from ccr_events.agencies import Agency
from ccr_events.codes.instruments import (
    SCREENED_IN,
    DangerLevel,
    Instrument,
    LapAnswer,
    LapResult,
    OdaraAnswer,
    score_lap,
)
from ccr_events.codes.ndex import AbusePattern
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Model, Payload
from ccr_events.registry import event_type

_Lap = Annotated[LapAnswer | None, sealed(Label.RISK)]
_Odara = Annotated[OdaraAnswer | None, sealed(Label.RISK)]
_Words = Annotated[LongText | None, sealed(Label.RISK)]


class LapAnswers(Model):
    """Answers to the items of a Lethality Assessment Program screen, by item key."""

    q1: _Lap = None
    q2: _Lap = None
    q3: _Lap = None
    q4: _Lap = None
    q5: _Lap = None
    q6: _Lap = None
    q7: _Lap = None
    q8: _Lap = None
    q9: _Lap = None
    q10: _Lap = None
    q11: _Lap = None
    q12: _Words = None
    """Any other worry, in words."""

    def given(self) -> dict[str, LapAnswer]:
        """The answers that were given, by item key, without the words of `q12`."""
        answers: dict[str, LapAnswer] = self.model_dump(exclude={"q12"}, exclude_none=True)
        return answers


class OdaraAnswers(Model):
    """Scores of the items of an ODARA, by the keys of `ccr_events.codes.instruments.ODARA_ITEMS`."""

    prior_domestic_assault: _Odara = None
    prior_nondomestic_assault: _Odara = None
    prior_sentence_30_days: _Odara = None
    failed_conditional_release: _Odara = None
    threat_at_index: _Odara = None
    confinement_at_index: _Odara = None
    victim_fears_assault: _Odara = None
    more_than_one_child: _Odara = None
    victim_child_with_previous_partner: _Odara = None
    violence_to_others: _Odara = None
    substance_indicators: _Odara = None
    assault_when_pregnant: _Odara = None
    barrier_to_support: _Odara = None


class BlueprintAnswers(Model):
    """What was said to the risk questions of the Blueprint for Safety, and the pattern it shows."""

    feared_harm: _Words = None
    frequency_and_severity: _Words = None
    worst_time: _Words = None
    pattern: Annotated[tuple[AbusePattern, ...] | None, sealed(Label.RISK)] = Field(default=None, max_length=MAX_LIST)


@event_type("risk.screened", publishers=(Agency.LE,))
class RiskScreened(Payload):
    """An officer screened for danger."""

    instrument: Annotated[Instrument, OPS]
    instrument_version: Annotated[Code | None, OPS] = None
    score: Annotated[int | None, clear(Label.RISK)] = Field(default=None, ge=0, le=100)
    """Total of an instrument that is scored by a total (ODARA, Danger Assessment); cut-offs are local policy."""
    level: Annotated[DangerLevel | None, clear(Label.RISK)] = None
    hotline_called_at: Annotated[Instant | None, OPS] = None
    """When the officer called the hotline from the scene."""
    result: Annotated[LapResult | None, sealed(Label.RISK)] = None
    """Result of a LAP screen; sealed, since it can tell that the victim would not answer."""
    officer_belief: Annotated[bool | None, sealed(Label.RISK)] = None
    """The officer believes in high danger whatever the answers."""
    victim_spoke: Annotated[bool | None, sealed(Label.ADV)] = None
    """Whether the victim spoke with the hotline: the victim's own decision, for police and advocacy alone.

    Labelled apart from the answers, so that nobody who may read those learns it.
    """
    answers: Annotated[LapAnswers | OdaraAnswers | BlueprintAnswers | None, sealed(Label.RISK)] = None
    """By item key of the instrument; the answers to a Danger Assessment are never published."""

    @computed_field  # type: ignore[prop-decorator]  # pydantic reads the property
    @property
    def high_danger(self) -> Annotated[bool, clear(Label.RISK)]:
        """Whether the result, the officer or the answers themselves screen in.

        Answers that screen in do so even when the result written beside them says otherwise: a slip in one box
        must not silence the alert.
        """
        if self.result in SCREENED_IN or self.officer_belief:
            return True
        return isinstance(self.answers, LapAnswers) and score_lap(self.answers.given()) in SCREENED_IN
