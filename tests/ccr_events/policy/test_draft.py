"""A draft takes the place of a policy in every edition, beside what was in force; what says nothing new is refused."""

from __future__ import annotations

import pytest

from ccr_events.policy import PolicyErrors, load_policies
from ccr_events.policy.draft import Draft, DraftBook, DraftRefused, drafted, read_drafts
from tests.support.drafts import PATROL, newer

BOOK = load_policies()


def read(*texts: str) -> tuple[Draft, ...]:
    return read_drafts(((f"draft-{n}.yaml", text.encode()) for n, text in enumerate(texts)), BOOK)


def without_signatures(text: str) -> str:
    start, end = text.index("signed_by:"), text.index("guidance:")
    return text[:start] + text[end:]


def test_a_draft_needs_no_signature() -> None:
    (draft,) = read(without_signatures(newer()))
    assert draft.loaded.document.name == "patrol 1.3.0"
    assert draft.newest.document.name == "patrol 1.0.0"


def test_both_are_asked_side_by_side() -> None:
    book = DraftBook(BOOK, read(newer().replace("within: 1 h", "within: 30 min", 1)))
    for edition in BOOK.editions:
        assert book.edition(edition.id) is edition
        new = book.edition(drafted(edition.id))
        assert new.links.keys() == edition.links.keys()
        assert {link.rule.edition for link in new.links.values()} == {drafted(edition.id)}
        assert new.link("L06a").due_words != edition.link("L06a").due_words
        assert new.link("L17a").due_words == edition.link("L17a").due_words
    rule = book.newest_rule("L06a")
    assert rule is not None
    assert rule.edition == drafted(BOOK.editions[-1].id)
    assert book.newest_rule("X99") is None


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (newer().replace("version: 1.3.0", "version: 1.0.0"), 2, "not newer than patrol 1.0.0"),
        (newer().replace("effective: 2031-01-01", "effective: 2020-01-01"), 3, "no later than patrol 1.0.0"),
        (newer().replace("effective: 2031-01-01\n", ""), 1, "`effective` is missing"),
        (newer().replace("key: L02", "key: L17a"), None, "also a link of jail"),
        (newer().replace("within: 1 h", "within: 1 hr", 1), None, "number and a unit"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int | None, told: str) -> None:
    with pytest.raises(PolicyErrors) as errors:
        read(text)
    problem = next(one for one in errors.value.problems if told in one.message)
    assert problem.file == "draft-0.yaml"
    assert problem.line == line or (line is None and problem.line > 3)


def test_two_drafts_of_one_policy_are_refused() -> None:
    with pytest.raises(PolicyErrors, match="also drafted in"):
        read(newer(), newer().replace("version: 1.3.0", "version: 1.4.0"))


def test_what_is_in_force_already_is_refused_or_left_out() -> None:
    with pytest.raises(DraftRefused, match="nothing would change"):
        read("# another comment\n" + PATROL)
    assert len(read(PATROL, newer())) == 1


def test_an_unknown_policy_is_answered_with_the_nearest() -> None:
    with pytest.raises(DraftRefused, match="did you mean patrol"):
        read(newer().replace("policy: patrol", "policy: patroll"))
