"""Whether a document says domestic violence: by its own indicators, or by the words of its charges. Never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from ccr_events.payload import YesNoUnknown
from services.adapters.niem.code_tables import plain


@dataclass(frozen=True, slots=True)
class DomesticCharges:
    """The charges that local policy counts as domestic violence [P]."""

    statutes: tuple[str, ...]
    phrases: tuple[str, ...]

    def covers(self, text: str) -> bool:
        """Whether a statute number, or a charge in words, is one of them."""
        words = f" {plain(text)} "
        if any(f" {plain(phrase)} " in words for phrase in self.phrases):
            return True
        number = re.sub(r"\s", "", text).casefold()
        return any(_begins(number, statute.casefold()) for statute in self.statutes)


@cache
def domestic_charges() -> DomesticCharges:
    """The table in `domestic.yaml`."""
    source = files("services.adapters.niem").joinpath("domestic.yaml").read_text(encoding="utf-8")
    table = YAML(typ="safe").load(source)
    return DomesticCharges(tuple(table["statutes"]), tuple(table["phrases"]))


def domestic(
    indicators: Iterable[bool], charges: Iterable[str], table: DomesticCharges
) -> tuple[YesNoUnknown, str | None]:
    """The flag, and a warning when a charge's words contradict an indicator: the charge then counts."""
    told = tuple(indicators)
    named = any(table.covers(text) for text in charges)
    if any(told):
        return YesNoUnknown.YES, None
    if named:
        doubt = "a charge is one of domestic violence although the indicator says no: yes is taken" if told else None
        return YesNoUnknown.YES, doubt
    return (YesNoUnknown.NO if told else YesNoUnknown.UNKNOWN), None


def _begins(number: str, statute: str) -> bool:
    """`14:35.3` covers `14:35.3(B)` and not `14:35.31`; a prefix such as `RS` or `ARS` is left off."""
    number = re.sub(r"^[a-z.§]+", "", number)
    return number.startswith(statute) and not number[len(statute) : len(statute) + 1].isdigit()
