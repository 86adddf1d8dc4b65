"""The packaged policies: all 41 links of the domain sheet, each with its sources; and the editions they make."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ccr_events.agencies import Agency
from ccr_events.policy import UnknownEdition, UnknownPolicy, UnknownRule, load_policies
from ccr_events.policy.link_rules import SAFE_CONTACT

BOOK = load_policies()
NUMBERS = [f"L{n:02d}" for n in range(1, 42)]
FOUND_IN_PUBLIC_SOURCES = {  # rows of the domain sheet whose source bears F, in whole or in part
    "L02", "L03", "L05", "L07", "L08", "L11", "L12", "L14", "L15", "L16", "L17", "L20", "L21", "L23", "L24", "L25",
    "L26", "L27", "L28", "L29", "L30", "L32", "L33", "L34", "L38", "L40", "L41",
}  # fmt: skip


def keys_of(number: str, edition: str) -> list[str]:
    return [key for key in BOOK.edition(edition).links if key[:3] == number]


@pytest.mark.parametrize("edition", [e.id for e in BOOK.editions])
@pytest.mark.parametrize("number", NUMBERS)
def test_each_of_the_41_links_is_there_with_its_sources(number: str, edition: str) -> None:
    written = [BOOK.edition(edition).written(key) for key in keys_of(number, edition)]
    assert written
    marks = {basis.mark for link in written for basis in link.sources}
    assert ("F" in marks) or number not in FOUND_IN_PUBLIC_SOURCES
    assert all(link.mark in {basis.mark for basis in link.sources} for link in written)


def test_no_deadline_that_was_not_found_in_a_source_claims_to_have_been() -> None:
    """Links marked F as a whole rest on public text; the sheet marks these deadlines F."""
    firm = {key for key, link in BOOK.editions[-1].links.items() if link.written.mark == "F"}
    assert {key[:3] for key in firm} <= FOUND_IN_PUBLIC_SOURCES


def test_every_agency_chapter_is_signed_by_the_advocacy_program() -> None:
    assert all(Agency.ADV in {s.agency for s in document.signed_by} for document in BOOK.documents)


def test_links_that_reach_out_to_a_victim_tell_how() -> None:
    for link in BOOK.editions[-1].links.values():
        assert link.rule.action.endswith(SAFE_CONTACT) is link.written.victim_contact


def test_an_edition_is_named_after_its_newest_change_and_its_content() -> None:
    old, new = BOOK.editions
    assert old.id.startswith("2020-01-01-")
    assert new.id.startswith("2026-01-01-")
    assert len(new.id) == len("2026-01-01-") + 8


def test_an_edition_starts_at_local_midnight() -> None:
    first = datetime(2026, 1, 1, 6, tzinfo=UTC)  # midnight in Chicago
    assert BOOK.edition_at(first) is BOOK.editions[1]
    assert BOOK.edition_at(first - timedelta(microseconds=1)) is BOOK.editions[0]


def test_the_newest_version_of_each_policy_is_in_force() -> None:
    versions = {d.policy: d.version for d in BOOK.editions[-1].documents}
    assert (versions["jail"], versions["patrol"]) == ("1.1.0", "1.0.0")
    assert BOOK.document("jail").version == "1.1.0"
    assert BOOK.document("jail", "1.0.0").effective == date(2020, 1, 1)


def test_before_the_first_policy_there_is_none() -> None:
    with pytest.raises(UnknownEdition, match="no policy of the package is in force"):
        BOOK.edition_at(datetime(2019, 12, 31, tzinfo=UTC))


def test_an_unknown_edition_says_which_and_what_to_do() -> None:
    with pytest.raises(LookupError, match=r"2026-01-01-00000000 is not among .* put back the documents"):
        BOOK.edition("2026-01-01-00000000")


def test_unknown_rules_and_policies_say_what_there_is() -> None:
    with pytest.raises(UnknownRule, match="has no link L99"):
        BOOK.editions[-1].rule("L99")
    with pytest.raises(UnknownPolicy, match=r"no policy jail 9\.9\.9; there is 1\.0\.0, 1\.1\.0"):
        BOOK.document("jail", "9.9.9")
    with pytest.raises(UnknownPolicy, match="there is advocacy"):
        BOOK.document("gaol")


def test_what_changed_is_judged_by_the_edition_in_force() -> None:
    old, new = (edition.rule("L32b") for edition in BOOK.editions)
    assert (old.count, new.count) == (4, 3)
    assert (old.edition, new.edition) == tuple(edition.id for edition in BOOK.editions)


def test_rules_are_found_by_their_trigger_and_by_everything_their_outcome_depends_on() -> None:
    for edition in BOOK.editions:
        plan = edition.plan
        for key, link in edition.links.items():
            rule = link.rule
            assert rule.edition == edition.id
            for name in rule.trigger_types:
                assert rule in edition.by_trigger[name]
                assert rule in (plan.opening if rule.count == 1 else plan.counting)[name]
            acts = {s.type for _, s, _ in link.acts}
            assert acts - {"link.acknowledged", "link.completed"} == set(plan.acts[key].by_type)
            asked = (link.when.mentions if link.when else set()) | (link.reset_by.mentions if link.reset_by else set())
            assert rule.asks == asked
            assert rule.asks >= rule.asks_later
            assert all(rule in plan.asking[name] for name in asked)
            assert not asked or rule.stirred is not None
