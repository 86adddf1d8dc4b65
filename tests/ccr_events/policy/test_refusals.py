"""What is wrong in a policy is told with its line, in words, with a suggestion; and all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccr_events.policy import PolicyErrors, load_policies
from ccr_events.policy.source import MAX_BYTES, MAX_NODES, read_source
from tests.support.policy_text import POLICY, TYPES, line_of, problems, read, spoiled

LADDER = """\
      - {after: 0 h, to: {agency: le, role: patrol sergeant}}
      - {after: 24 h, to: {agency: ccr, role: systems coordinator}}
"""
WAIVER = "    may_waive:\n      - {agency: le, role: patrol sergeant}\n"

SPOILED = {
    # (what is replaced, by what, words of the message, words of the suggestion)
    "unknown word": ("    urgency: same_day", "    urgencey: same_day", "`urgencey` is not a word", "urgency"),
    "missing word": ("    action: Do what is owed.\n", "", "`action` is missing", "add  action:"),
    "unknown agency": ("agency: le\ntitle", "agency: police\ntitle", "`agency` must be", ""),
    "not a version": ("version: 1.0.0", "version: 1.0", "must be text: put it in quotes", ""),
    "not a time zone": ("America/Chicago", "America/Chicgo", "must be a time zone", ""),
    "not a time of day": ('"16:30"', "16.30", "must be a time of day in quotes", ""),
    "not a span": ("within: 24 h", "within: 24 hours", "must be a number and a unit", ""),
    "not a date": ("effective: 2026-01-01", "effective: soon", "must be a date", ""),
    "a worker's name": ("role: responding officer", "role: Officer Testperson", "never a worker's name", ""),
    "a badge number": ("role: responding officer", "role: officer 4711", "never a worker's name", ""),
    "holidays unknown": ("subdivision: MN", "subdivision: ZZ", "holidays of US ZZ are not known", "ISO 3166-2"),
    "unknown event type": ("type: sample.made", "type: sample.maed", "no event type is called", "sample.made"),
    "derived event type": ("type: sample.made", "type: link.opened", "never stands on the log", ""),
    "unknown field": ("{colour: red}", "{color: red}", "sample.made has no field color", "did you mean colour"),
    "sealed field": ("{colour: red}", "{narrative: {present: true}}", "narrative is sealed", "colour"),
    "impossible value": ("{colour: red}", "{colour: rad}", "colour is never rad", "did you mean red"),
    "yes without quotes": ("{colour: red}", "{dv: true}", "dv is text and not true", 'write "yes", in quotes'),
    "wrong kind of value": ("{colour: red}", '{armed: "yes"}', "armed is true or false", ""),
    "range on a word": ("{colour: red}", "{colour: {at_least: 3}}", "at_least compares numbers", ""),
    "range without number": ("{colour: red}", "{count: {at_least: many}}", "at_least needs a number", ""),
    "instant compared": ("{colour: red}", '{at: "2026-01-01"}', "at is an instant", "ahead_at_least"),
    "unknown operator": ("{colour: red}", "{count: {atleast: 3}}", "nothing one can ask", "at_least"),
    "set of a single value": ("{colour: red}", "{colour: {any_of: [red]}}", "any_of asks of a list", "colour: [...]"),
    "value of a list": ("{colour: red}", "{notes.kind: red}", "is a list", "any_of"),
    "group as a value": ("{colour: red}", "{first_note: red}", "group of fields", "first_note.FIELD"),
    "no list": ("{colour: red}", "{any: {colour: red}}", "`any` needs a list", "dash"),
    "empty condition": ("{colour: red}", "{}", "a condition is a group", ""),
    "agency that never publishes": ("{colour: red}", "{agency: civ}", "civ never publishes sample.made", ""),
    "type that is none of the trigger's": (
        "{colour: red}",
        "{type: nco.issued}",
        "none of the types asked",
        "sample.made",
    ),
    "no such agency": ("{colour: red}", "{agency: jial}", "no agency jial", "jail"),
    "unknown type in the case": ("{colour: red}", "{case_has: {type: jail.boked}}", "no event type", "jail.booked"),
    "unknown field in the case": (
        "{colour: red}",
        "{case_has: {type: jail.booked, when: {hold: x}}}",
        "jail.booked has no field",
        "hold_reason",
    ),
    "before what": (
        "{colour: red}",
        "{case_has: {type: jail.booked, before: now}}",
        "must say trigger",
        "before: trigger",
    ),
    "no such number": ("{colour: red}", "{case_has: {type: jail.booked, same: [case_no]}}", "no kind of number", ""),
    "latest of one": ("{colour: red}", "{case_has: {latest_of: [jail.booked], is: jail.booked}}", "not all", ""),
    "trigger asked in an act": (
        "{type: link.completed, by: owing}",
        "{type: sample.made, when: {case_has: {type: jail.booked, before: trigger}}}",
        "can only be asked where the trigger is judged",
        "",
    ),
    "reset without count": ("when: {colour: red}", "reset_by: {colour: red}", "no count to set back", "add  count:"),
    "two deadlines": ("{within: 24 h}", "{within: 24 h, shift_end: true}", "exactly one of", ""),
    "no deadline": ("{within: 24 h}", "{lead: 2 h}", "exactly one of", ""),
    "stray word": ("{within: 24 h}", "{within: 24 h, lead: 2 h}", "lead does not go with within", ""),
    "deadline by a word": ("{within: 24 h}", "{before: colour}", "colour is no instant", ""),
    "deadline by nothing": ("{within: 24 h}", "{before: when}", "has no field when", ""),
    "deadline that may be missing": ("{within: 24 h}", "{before: at}", "never be due", "otherwise"),
    "no time to act": ("{within: 24 h}", "{within: 0 h}", "no time to act", ""),
    "at once without patience": ("{within: 24 h}", "{immediate: true}", "how soon silence is noticed", "act_within"),
    "uncountable day": ("{within: 24 h}", "{within: 24 h, not_counting: [sunday]}", "cannot be left out", "sundays"),
    "lead in hours": ("{within: 24 h}", "{on: at, lead: 2 h, otherwise: {within: 1 h}}", "counted in days", ""),
    "endless count": ("{within: 24 h}", "{within: 400 d, not_counting: [sundays]}", "at most 365 days", ""),
    "warning before the start": ("{after: 0 h, to", "{after: -25 h, to", "before the clock has started", "warn later"),
    "(a) ladder that ends nowhere": (LADDER, LADDER.splitlines(True)[0], "ends nowhere", "agency: ccr"),
    "(a) outside the agency": (
        "{after: 0 h, to: {agency: le",
        "{after: 0 h, to: {agency: pros",
        "outside",
        "owing agency",
    ),
    "(a) out of order": (
        "{after: 24 h, to: {agency: ccr",
        "{after: -2 h, to: {agency: ccr",
        "before the rung above",
        "",
    ),
    "(a) no reason for no ladder": (LADDER, "      none: no\n", "too short", ""),
    "(b) nobody may waive": (WAIVER, "    may_waive: []\n", "too short: at least 1", ""),
    "(b) a stranger may waive": (WAIVER, WAIVER.replace("agency: le", "agency: jail"), "no say over what", ""),
    "(c) unsaid contact": (
        "{type: link.completed, by: owing}",
        "{type: victim.notice_given}",
        "reaches out to the victim",
        "victim_contact",
    ),
    "(d) no way but the adapter": (
        "urgency: same_day",
        "urgency: immediate",
        "nobody can be reached",
        "if_unreachable",
    ),
    "(e) the victim's act": ("{type: link.completed, by: owing}", "{type: ofp.petitioned}", "victim's own act", ""),
    "act that nobody publishes": (
        "{type: link.completed, by: owing}",
        "{type: access.audited}",
        "no agency publishes",
        "",
    ),
    "act the owing agency never does": (
        "{type: link.completed, by: owing}",
        "{type: jail.booked, by: owing}",
        "never published by le",
        "by: owing",
    ),
    "anybody's answer": (
        "{type: link.completed, by: owing}",
        "{type: link.completed}",
        "does not say whose",
        "by: owing",
    ),
    "unmarked source": ("mark: P}", "mark: X}", "must be", ""),
    "mark without source": ("    mark: P", "    mark: F", "no source bears the mark F", ""),
    "at once but not urgent": ("{within: 24 h}", "{immediate: true, act_within: 1 h}", "not same_day", "immediate"),
    "no advocacy sign-off": (
        "  - {agency: adv, title: Director of the advocacy program, on: 2025-12-01}\n",
        "",
        "advocacy program has not",
        "adv",
    ),
    "owing without sign-off": (
        "{agency: le, role: responding",
        "{agency: jail, role: responding",
        "has not signed",
        "",
    ),
    "signed too late": ("police, on: 2025-12-01", "police, on: 2026-12-01", "signed after it took effect", ""),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_policy_is_refused_with_line_and_suggestion(name: str) -> None:
    old, new, message, suggestion = SPOILED[name]
    found = problems(spoiled(old, new))
    told = [p for p in found if message in p.message]
    assert told, [str(p) for p in found]
    assert suggestion in told[0].suggestion
    assert told[0].file == "sample.yaml"


def test_the_policy_itself_is_right() -> None:
    assert [link.rule.key for link in read().links] == ["X01"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{colour: red}", "{colour: rad}"),
        ("role: responding officer", "role: Officer Testperson"),
        ("within: 24 h", "within: ever"),
        ("    title: A link for tests", "    title: 7"),
        ("{after: 24 h, to: {agency: ccr", "{after: -2 h, to: {agency: ccr"),
    ],
)
def test_a_problem_stands_on_its_own_line(old: str, new: str) -> None:
    text = spoiled(old, new)
    (found,) = problems(text)
    assert found.line == line_of(text, new)
    assert text.splitlines()[found.line - 1][found.column - 1 :].strip()


def test_all_problems_are_told_at_once() -> None:
    text = POLICY.replace("{colour: red}", "{colour: rad, size: 3}").replace("within: 24 h", "before: at")
    text = text.replace("type: link.completed, by: owing", "type: link.done").replace("mark: P\n", "mark: F\n")
    messages = [p.message for p in problems(text)]
    for part in ("colour is never rad", "no field size", "never be due", "called link.done", "mark F"):
        assert any(part in m for m in messages), part


def test_faults_of_shape_are_told_at_once_too() -> None:
    text = POLICY.replace("urgency: same_day", "urgency: soon").replace("timezone: America/Chicago", "timezone: Mars")
    assert {"urgency", "timezone"} <= {p.message.split("`")[1] for p in problems(text)}


def test_text_that_is_no_yaml_is_refused_at_its_line() -> None:
    (found,) = problems("policy: x\nversion: [1\ntitle: y\n")
    assert "not readable as YAML" in found.message
    assert found.line == 3


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_text_that_is_no_policy_is_refused(text: str) -> None:
    assert "holds no policy" in problems(text)[0].message


def test_a_word_written_twice_is_refused() -> None:
    assert "title" in problems(spoiled("policy: sample", "policy: sample\ntitle: Twice"))[0].message


def test_bounds_hold_against_huge_documents_and_alias_bombs() -> None:
    with pytest.raises(PolicyErrors, match="larger than"):
        read_source(b"a: " + b"x" * MAX_BYTES, "big.yaml")
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{above}'] * 10)}]\n" for above, name in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(PolicyErrors, match=f"more than {MAX_NODES:,} values"):
        read_source(bomb.encode(), "bomb.yaml")
    with pytest.raises(PolicyErrors, match="nested deeper"):
        read_source(b"a: " + b"[" * 60 + b"]" * 60, "deep.yaml")


def write(directory: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (directory / f"{name}.yaml").write_text(text)
    return directory


NEWER = POLICY.replace("version: 1.0.0", "version: 1.1.0").replace("effective: 2026-01-01", "effective: 2026-06-01")


def test_a_county_can_have_policies_of_its_own(tmp_path: Path) -> None:
    book = load_policies(write(tmp_path, one=POLICY, two=NEWER), types=TYPES)
    assert [edition.id[:10] for edition in book.editions] == ["2026-01-01", "2026-06-01"]
    assert str(tmp_path) in book.origin


def test_comments_and_layout_do_not_change_an_edition_and_content_does(tmp_path: Path) -> None:
    def edition(name: str, text: str) -> str:
        directory = tmp_path / name
        directory.mkdir()
        return load_policies(write(directory, one=text), types=TYPES).editions[0].id

    plain = edition("plain", POLICY)
    assert edition("commented", "# a remark\n" + POLICY.replace("agency: le\ntitle", "agency:   le\n\ntitle")) == plain
    assert edition("changed", POLICY.replace("within: 24 h", "within: 23 h")) != plain


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (POLICY, "is also in"),
        (NEWER.replace("2026-06-01", "2026-01-01"), "takes effect no later than"),
        (NEWER.replace("policy: sample", "policy: other"), "is also a link of sample"),
    ],
)
def test_documents_that_clash_are_refused(tmp_path: Path, second: str, message: str) -> None:
    with pytest.raises(PolicyErrors, match=message):
        load_policies(write(tmp_path, one=POLICY, two=second), types=TYPES)


def test_a_directory_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no policy documents"):
        load_policies(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        load_policies(tmp_path / "none")
