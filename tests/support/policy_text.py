"""A small written policy as text, to be spoiled in one place at a time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ccr_events.catalogue import event_types
from ccr_events.policy import LoadedDocument, PolicyErrors, Problem, read_document
from ccr_events.registry import EventType
from tests.support.contract import SAMPLE

TYPES: Mapping[str, EventType] = MappingProxyType({**event_types(), "sample.made": SAMPLE})

POLICY = """\
policy: sample
version: 1.0.0
effective: 2026-01-01
agency: le
title: A policy for tests
jurisdiction: {name: "Nowhere County", country: US, subdivision: MN, timezone: America/Chicago}
local:
  court_day_ends: "16:30"
  shifts: ["07:00", "15:00", "23:00"]
  court_closures: [2026-11-27]
  remind_every: 24 h
purpose:
  victim_safety: Somebody is told in time.
  offender_accountability: What was done is answered.
signed_by:
  - {agency: le, title: Chief of police, on: 2025-12-01}
  - {agency: adv, title: Director of the advocacy program, on: 2025-12-01}
guidance:
  - {point: A point, practitioner: An officer, do: Do what is right., because: It matters to someone.}
links:
  - key: X01
    title: A link for tests
    trigger:
      type: sample.made
      when: {colour: red}
    owed_by:
      - {agency: le, role: responding officer}
    action: Do what is owed.
    urgency: same_day
    due: {within: 24 h}
    satisfied_by:
      - {type: link.completed, by: owing}
    escalate:
      - {after: 0 h, to: {agency: le, role: patrol sergeant}}
      - {after: 24 h, to: {agency: ccr, role: systems coordinator}}
    may_waive:
      - {agency: le, role: patrol sergeant}
    sources:
      - {text: An invented source, mark: P}
    mark: P
"""
"""Line 22 is the first link's title."""


def spoiled(old: str, new: str) -> str:
    """The policy with one passage replaced."""
    assert POLICY.count(old) == 1, f"{POLICY.count(old)} times in the policy: {old}"
    return POLICY.replace(old, new)


def read(text: str = POLICY) -> LoadedDocument:
    return read_document(text.encode(), "sample.yaml", types=TYPES)


def problems(text: str) -> tuple[Problem, ...]:
    """What is wrong with a policy; fails when nothing is."""
    try:
        read(text)
    except PolicyErrors as errors:
        return errors.problems
    raise AssertionError("nothing was found wrong")


def line_of(text: str, passage: str) -> int:
    """The line, from 1, on which a passage begins."""
    assert text.count(passage) == 1, passage
    return text[: text.index(passage)].count("\n") + 1
