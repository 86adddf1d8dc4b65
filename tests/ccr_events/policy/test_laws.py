"""Laws of the core, held by the packaged policies: facts are drawn from the stories of links.yaml and mixed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from ruamel.yaml import YAML

from ccr_events.core import ids
from ccr_events.core.codec import encode_view
from ccr_events.core.fold import fold, refold, step
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from ccr_events.policy import load_policies
from tests.support.told_events import told

pytestmark = pytest.mark.usefixtures("sizes")

BOOK = load_policies()
EDITIONS = [edition.id for edition in BOOK.editions]
STORIES: dict[str, dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("links.yaml").read_text())


def lines(story: dict[str, Any]) -> Iterator[str]:
    """Every event a story tells, answers to links left out."""
    for part in ("given", "done", "but"):
        for item in story.get(part, []):
            if isinstance(item, dict):
                yield from lines({"given": [], **item})
            else:
                yield from [item] if isinstance(item, str) else item
    yield from (story[part] for part in ("when", "hastened") if part in story)


def facts_told() -> list[Fact]:
    found: dict[str, Fact] = {}
    for story in STORIES.values():
        owing = str(story["owed"] if isinstance(story["owed"], str) else story["owed"][0]).partition("/")[0]
        for line in lines(story):
            if not line.split()[2].startswith("link."):
                for file in ("1", "2"):
                    fact = told(line, BOOK, owing=owing, file=file)
                    found[fact.id] = fact
    return sorted(found.values(), key=lambda f: f.id)


POOL = facts_told()


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Facts of one case under either edition, some corrected; then answers, waivers and deadlines of their links."""
    drawn = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=9, unique_by=lambda f: f.id))
    facts = [replace(f, edition=draw(st.sampled_from(EDITIONS))) for f in drawn]
    if draw(st.booleans()):
        old, new = draw(st.sampled_from(facts)), draw(st.sampled_from(POOL))
        facts.append(replace(new, id=ids.derived("correction", old.id, new.id), agency=old.agency, corrects=old.id))
    for _ in range(draw(st.integers(0, 2))):
        links = sorted(refold("case-1", {f.id: f for f in facts}, BOOK).links.values(), key=lambda link: link.id)
        for link in draw(st.lists(st.sampled_from(links), max_size=6)) if links else []:
            facts += draw(st.lists(st.sampled_from([*answers(link), *reached(link)]), max_size=3))
    return list({f.id: f for f in facts}.values())


def answers(link: Link) -> list[Fact]:
    waivers = sorted(BOOK.edition(link.edition).rule(link.rule).waivers) or [(link.agency, link.role)]
    said = [("link.acknowledged", link.agency, link.role), ("link.waived", *waivers[0])]
    return [
        Fact(
            ids.answer_event_id(kind, link.id, agency, role), kind, agency, "case-1", link.opened_at, link.opened_at,
            link.edition, {"link_id": link.id, "role": role},
        )
        for kind, agency, role in said
    ]  # fmt: skip


def reached(link: Link) -> list[Fact]:
    return [
        Fact(
            ids.deadline_event_id(link.id, s.number, s.at), "link.deadline_reached", "ccr", "case-1", s.at, s.at,
            link.edition, {"link_id": link.id, "step": s.number, "due_at": s.at.isoformat()},
        )
        for s in link.steps
    ]  # fmt: skip


def folded(facts: Sequence[Fact]) -> CaseView:
    view = CaseView("case-1")
    for fact in facts:
        view = fold(view, fact, BOOK)
    return view


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_bytes(facts: list[Fact], rng: random.Random) -> None:
    shuffled = facts[:]
    rng.shuffle(shuffled)
    assert encode_view(folded(facts)) == encode_view(folded(shuffled))


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_duplicates_change_nothing_and_say_nothing(facts: list[Fact], rng: random.Random) -> None:
    view = folded(facts)
    again = step(view, rng.choice(facts), BOOK)
    assert again.view is view
    assert again.transitions == ()


@given(histories())
@settings(max_examples=100, deadline=None)
def test_rules_mention_everything_their_links_depend_on(facts: list[Fact]) -> None:
    """Folding derives anew only the links of rules that mention the fact: it must agree with deriving them all."""
    view = CaseView("case-1")
    for fact in facts:
        view = fold(view, fact, BOOK)
        assert dict(view.links) == dict(refold("case-1", view.facts, BOOK).links)


@given(histories())
@settings(max_examples=100, deadline=None)
def test_every_link_ends_or_has_a_pending_deadline(facts: list[Fact]) -> None:
    for link in folded(facts).links.values():
        assert link.state.ended or any(not s.reached for s in link.steps)
