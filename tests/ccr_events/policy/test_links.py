"""Every protocol link, told as given / when / then in links.yaml, run through the core with the packaged policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ccr_events.core import ids
from ccr_events.core.fold import fold, step
from ccr_events.core.model import Fact, Link, Transition
from ccr_events.core.view import CaseView
from ccr_events.policy import load_policies
from tests.support.told_events import local, told

BOOK = load_policies()
EDITION = BOOK.edition_at(local("mon 00:00"))
STORIES: dict[str, dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("links.yaml").read_text())
EACH = pytest.mark.parametrize("key", sorted(STORIES))


@dataclass(frozen=True)
class Opened:
    """The case after the trigger."""

    view: CaseView
    transitions: tuple[Transition, ...]

    def links(self, key: str) -> list[Link]:
        return [link for link in self.view.links.values() if link.rule == key and link.trigger_id in self.opened]

    @property
    def opened(self) -> set[str]:
        return {t.link.trigger_id for t in self.transitions if t.kind == "opened"}


def view_of(facts: Sequence[Fact]) -> CaseView:
    view = CaseView("case-1")
    for fact in facts:
        view = fold(view, fact, BOOK)
    return view


def opened(story: dict[str, Any]) -> Opened:
    owing = first_owing(story)
    done = step(view_of([told(t, BOOK, owing=owing) for t in story.get("given", [])]), when(story), BOOK)
    return Opened(done.view, done.transitions)


def when(story: dict[str, Any]) -> Fact:
    return told(story["when"], BOOK, owing=first_owing(story))


def first_owing(story: dict[str, Any]) -> str:
    return owed(story)[0].partition("/")[0] if "owed" in story else ""


def owed(story: dict[str, Any]) -> list[str]:
    return [story["owed"]] if isinstance(story["owed"], str) else list(story["owed"])


def about(text: str, link: Link, *, file: str = "1") -> Fact:
    """An act; when it is an answer, of the link's own role."""
    answer = text.split()[2].startswith("link.")
    more = {"link_id": link.id, "role": link.role} if answer else {}
    return told(text, BOOK, owing=link.agency, more=more, file=file, number=1)


def happened(view: CaseView, facts: Sequence[Fact], link: Link) -> list[str]:
    """What the last of the facts does to a link, as `kind` or `kind(step)→agency/role`."""
    view = view_of_more(view, facts[:-1])
    return [
        t.kind.value if not t.step else f"{t.kind.value}({t.step})→{t.to_agency}/{t.to_role}"
        for t in step(view, facts[-1], BOOK).transitions
        if t.link.id == link.id
    ]


def view_of_more(view: CaseView, facts: Sequence[Fact]) -> CaseView:
    for fact in facts:
        view = fold(view, fact, BOOK)
    return view


def reached(link: Link, number: int) -> Fact:
    at = link.steps[number].at
    return Fact(
        ids.deadline_event_id(link.id, number, at), "link.deadline_reached", "ccr", "case-1", at, at, EDITION.id,
        {"link_id": link.id, "step": number, "due_at": at.isoformat()},
    )  # fmt: skip


def acts(story: dict[str, Any]) -> Iterator[list[str]]:
    """Each way of doing what is owed: the acts it takes."""
    for way in story["done"]:
        yield [way] if isinstance(way, str) else way


def test_every_link_has_a_story_and_every_story_a_link() -> None:
    assert set(STORIES) == set(EDITION.links)


def test_every_condition_has_a_counterexample_and_every_hastening_is_told() -> None:
    conditional = {key for key, link in EDITION.links.items() if link.when or link.rule.count > 1}
    assert {key for key, story in STORIES.items() if story.get("but")} == conditional
    assert {key for key, story in STORIES.items() if "hastened" in story} == {
        key for key, link in EDITION.links.items() if link.rule.pulled_by
    }


@EACH
def test_every_act_that_satisfies_is_told(key: str) -> None:
    named = {s.type for group in EDITION.rule(key).satisfied_by for s in group}
    assert {text.split()[2] for way in acts(STORIES[key]) for text in way} == named


@EACH
def test_the_trigger_opens_the_link_for_each_who_owes_it_with_its_deadline(key: str) -> None:
    story = STORIES[key]
    links = opened(story).links(key)
    assert sorted(f"{link.agency}/{link.role}" for link in links) == sorted(owed(story))
    assert {link.due_at for link in links} == {local(story["due"])}
    assert not any(link.state.ended or link.overdue for link in links)


@EACH
def test_what_is_excluded_opens_nothing(key: str) -> None:
    for other in STORIES[key].get("but", []):
        story = {**STORIES[key], **(other if isinstance(other, dict) else {"when": other})}
        told_of = opened(story)
        assert [t.link.rule for t in told_of.transitions if t.link.rule == key] == [], other


@pytest.mark.parametrize("key", sorted(key for key in STORIES if "also" in STORIES[key]))
def test_every_other_trigger_told_opens_it_too(key: str) -> None:
    for other in STORIES[key]["also"]:
        story = {**STORIES[key], **(other if isinstance(other, dict) else {"when": other})}
        assert key in {t.link.rule for t in opened(story).transitions if t.kind == "opened"}, other


@pytest.mark.parametrize("key", sorted(key for key in STORIES if "not_done" in STORIES[key]))
def test_what_is_not_the_act_leaves_it_owed(key: str) -> None:
    start = opened(STORIES[key])
    for text in STORIES[key]["not_done"]:
        for link in start.links(key):
            assert "satisfied" not in happened(start.view, [about(text, link)], link), text


@EACH
def test_each_act_satisfies_and_only_in_the_same_matter(key: str) -> None:
    story = STORIES[key]
    start = opened(story)
    for way in acts(story):
        for link in start.links(key):
            facts = [about(text, link) for text in way]
            assert "satisfied" in happened(start.view, facts, link), way
            foreign = [about(text, link, file="2") for text in way]
            if any(same_matter(key, text.split()[2]) for text in way):
                assert "satisfied" not in happened(start.view, foreign, link), way


def same_matter(key: str, type_: str) -> bool:
    """Whether an act of that type only ever counts with the same number."""
    named = [s for group in EDITION.rule(key).satisfied_by for s in group if s.type == type_]
    return all(s.same for s in named)


@EACH
def test_silence_is_overdue_and_climbs_the_ladder(key: str) -> None:
    story = STORIES[key]
    start = opened(story)
    for link in start.links(key):
        assert happened(start.view, [reached(link, 0)], link) == ["overdue"]
        rungs = [f"{s.agency}/{s.role}" for s in link.steps[1:]]
        assert [(s.at, who) for s, who in zip(link.steps[1:], rungs, strict=True)] == [
            (local(text[: text.index(":") + 3]), text[text.index(":") + 4 :]) for text in story["silence"]
        ]
        for number in range(1, len(link.steps)):
            assert happened(start.view, [reached(link, number)], link) == [f"escalated({number})→{rungs[number - 1]}"]


@EACH
def test_nobody_is_forgotten_after_the_last_rung(key: str) -> None:
    start = opened(STORIES[key])
    for link in start.links(key):
        climbed = view_of_more(start.view, [reached(link, n) for n in range(len(link.steps))])
        (pending,) = [s for s in climbed.links[link.id].steps if not s.reached]
        last = max(link.steps, key=lambda s: (s.at, s.number))
        assert (pending.at, pending.role) == (last.at + timedelta(hours=24), last.role)


@pytest.mark.parametrize("key", sorted(key for key in STORIES if "hastened" in STORIES[key]))
def test_what_is_hastened_is_due_at_once(key: str) -> None:
    story = STORIES[key]
    start = opened(story)
    for link in start.links(key):
        sooner = about(story["hastened"], link)
        assert "rescheduled" in happened(start.view, [sooner], link)
        assert fold(start.view, sooner, BOOK).links[link.id].due_at == sooner.occurred_at


@EACH
def test_only_named_roles_waive(key: str) -> None:
    start, waivers = opened(STORIES[key]), EDITION.rule(key).waivers
    for link in start.links(key):
        for agency, role in [*waivers, (link.agency, "nobody in particular")]:
            data = {"link_id": link.id, "role": role, "reason": "not_applicable"}
            waived = told(f"mon 23:59 link.waived by {agency}", BOOK, more=data)
            assert ("waived" in happened(start.view, [waived], link)) is ((agency, role) in waivers)
