"""Policies explained, compared and drawn."""

from __future__ import annotations

import re
from typing import Any

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.core.index import build
from ccr_events.policy import load_policies
from ccr_events.policy.compare import compare
from ccr_events.policy.explain import Answer, explain_fact, explain_type
from ccr_events.policy.graph import edges, mermaid
from tests.support.policy_text import POLICY, read, spoiled
from tests.support.told_events import local, told

BOOK = load_policies()
EDITION = BOOK.editions[-1]


def explained(text: str, key: str, *given: str) -> Any:
    fact = told(text, BOOK)
    facts = build({f.id: f for f in (fact, *(told(line, BOOK) for line in given))})
    return next(one for one in explain_fact(EDITION, fact, facts) if one.rule == key)


def test_an_explanation_agrees_with_the_rule_and_says_when_and_who() -> None:
    one = explained("tue 10:00 custody.release_pending {dv: 'yes', earliest_at: tue 12:00}", "L17a")
    assert one.opens
    assert one.due_at == local("tue 12:00")
    assert [(h.at, h.role) for h in one.hears] == [
        (local("tue 11:40"), "jail lieutenant"),
        (local("tue 12:00"), "jail administrator"),
        (local("wed 12:00"), "systems coordinator"),
    ]


def test_each_condition_is_answered_for_itself() -> None:
    one = explained("mon 21:00 arrest.not_made {reason: goa, probable_cause: false}", "L08a")
    assert one.opens is False
    assert one.answer is not None
    assert [(part.words, part.held) for part in one.answer.parts] == [
        ("reason is goa", True),
        ("not (probable_cause is false)", False),
    ]
    assert one.answer.parts[1].parts == (Answer("probable_cause is false", True, "one"),)


def test_facts_of_the_case_count() -> None:
    alone = explained("mon 18:00 ofp.served", "L25a")
    opted_in = explained("mon 18:00 ofp.served", "L25a", "mon 10:00 ofp.petitioned {notice_opt_in: true}")
    assert (alone.opens, opted_in.opens) == (False, True)


def test_a_type_is_explained_without_an_event() -> None:
    found = {one.rule: one for one in explain_type(EDITION, "bip.threat_reported")}
    assert set(found) == {"L33a", "L33b", "L33c", "L33d", "L33e"}
    assert found["L33b"].opens is None
    assert found["L33b"].waived_by.startswith("nobody: ")
    assert explain_type(EDITION, "call.closed") == ()


def test_what_changed_is_said_in_words() -> None:
    old, new = (one for one in BOOK.loaded if one.document.policy == "jail")
    changes = {(c.where, c.what): c for c in compare(old, new)}
    deadline = changes["L17a", "deadline"]
    assert deadline.old == "before earliest_at, or within 1 hour when that is not known"
    assert deadline.new == "before earliest_at, or within 30 minutes when that is not known"
    assert changes["L17d", ""].kind == "added"
    assert changes["guidance: The written copy", ""].kind == "added"
    assert "action" not in {what for _, what in changes}


def test_every_kind_of_change_is_seen() -> None:
    old = read()
    for passage, other, where, what in (
        ("{colour: red}", "{colour: green}", "X01", "condition"),
        ("{after: 0 h, to", "{after: 1 h, to", "X01", "who hears"),
        ("{type: link.completed, by", "{type: link.acknowledged, by", "X01", "satisfied by"),
        ("do: Do what is right.", "do: Do what is safe first.", "guidance: A point", "do"),
        ("remind_every: 24 h", "remind_every: 12 h", "policy", "reminders"),
        ("title: Chief of police", "title: Deputy chief of police", "policy", "sign-off"),
    ):
        assert [(c.where, c.what) for c in compare(old, read(spoiled(passage, other)))] == [(where, what)]
    assert compare(old, read("# only a remark\n" + POLICY)) == ()
    renamed = [(c.kind, c.where) for c in compare(old, read(spoiled("key: X01", "key: X02")))]
    assert renamed == [("removed", "X01"), ("added", "X02")]


def test_every_link_is_an_edge_from_who_acts_to_who_owes() -> None:
    drawn = edges(EDITION, event_types())
    assert {key for edge in drawn if not edge.escalation for key in edge.links} == set(EDITION.links)
    by_ends = {(e.start, e.end): e.links for e in drawn if not e.escalation}
    assert "L17b" in by_ends[Agency.JAIL, Agency.LE]
    assert by_ends[Agency.CIV, Agency.ADV] == ("L22b",)  # only the civil court's referral, by the rule's condition


def test_the_drawing_is_a_flowchart_whose_edges_have_nodes() -> None:
    lines = mermaid(EDITION, event_types(), escalation=True).splitlines()
    assert lines[1] == "flowchart LR"
    nodes = {found[1] for line in lines if (found := re.fullmatch(r'    (\w+)\["[^"]+"\]', line))}
    ends = [re.fullmatch(r'    (\w+) (?:-->|-\.->)\|"[\w<>/ ]+"\| (\w+)', line) for line in lines[2 + len(nodes) :]]
    assert all(ends)
    assert {name for found in ends if found for name in found.groups()} == nodes
