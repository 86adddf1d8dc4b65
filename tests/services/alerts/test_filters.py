"""Query filters and the CloudEvents Subscriptions dialects."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.core.model import TransitionKind
from services.alerts.filters import MAX_BYTES, MAX_DEPTH, MAX_NODES, FilterRefused, compile_filter, parse, wanted
from services.alerts.frame import ATTRIBUTES, alert
from services.engine.ports import Alertable
from tests.support.core_rules import BOOK
from tests.support.fakes import NOW, transition

OVERDUE = alert(Alertable(7, transition(1, TransitionKind.OVERDUE, to=("le", "sergeant")), NOW, True), BOOK).event


def test_every_attribute_a_filter_may_name_is_on_every_alert() -> None:
    assert set(OVERDUE) - {"data"} == ATTRIBUTES


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"exact": {"type": "link.overdue"}}, True),
        ({"exact": {"type": "link.over"}}, False),
        ({"exact": {"type": "link.overdue", "toagency": "le"}}, True),
        ({"exact": {"type": "link.overdue", "toagency": "jail"}}, False),
        ({"prefix": {"type": "link."}}, True),
        ({"prefix": {"type": "Link."}}, False),
        ({"suffix": {"type": ".overdue"}}, True),
        ({"suffix": {"torole": "geant", "urgency": "immediate"}}, True),
        ({"all": [{"exact": {"owingagency": "jail"}}, {"prefix": {"torole": "serg"}}]}, True),
        ({"all": [{"exact": {"owingagency": "jail"}}, {"prefix": {"torole": "x"}}]}, False),
        ({"any": [{"exact": {"owingagency": "x"}}, {"prefix": {"torole": "serg"}}]}, True),
        ({"any": [{"exact": {"owingagency": "x"}}]}, False),
        ({"not": {"exact": {"rule": "R1"}}}, False),
        ({"not": {"any": [{"exact": {"rule": "R2"}}, {"exact": {"rule": "R3"}}]}}, True),
        ([], True),
        ([{"exact": {"rule": "R1"}}, {"suffix": {"type": ".overdue"}}], True),
        ([{"exact": {"rule": "R1"}}, {"suffix": {"type": ".opened"}}], False),
    ],
)
def test_dialects(expression: Any, matches: bool) -> None:
    assert parse(orjson.dumps(expression).decode())(OVERDUE) is matches


@pytest.mark.parametrize(
    ("expression", "pointer", "says"),
    [
        ({}, "filter", "exactly one of"),
        ({"exact": {}}, "filter/exact", "at least one"),
        ({"exact": {"typo-secret": "x"}}, "filter/exact", "do not carry"),
        ({"exact": {"typ": "x"}}, "filter/exact", "did you mean type?"),
        ({"exact": {"type": ""}}, "filter/exact/type", "1 to 256"),
        ({"exact": {"type": 5}}, "filter/exact/type", "1 to 256"),
        ({"exact": {"type": "a"}, "prefix": {"type": "a"}}, "filter", "exactly one of"),
        ({"prefixx": {"type": "a"}}, "filter", "did you mean prefix?"),
        ({"all": []}, "filter/all", "at least one filter"),
        ({"any": [{"exact": {"type": "a"}}, {"not": []}]}, "filter/any/1/not", "exactly one of"),
        ([{"exact": {"type": "a"}}, 7], "filter/1", "exactly one of"),
        ({"sql": "type = 'x'"}, "filter", "sql dialect is not supported"),
    ],
)
def test_refusal_names_the_place_and_the_rule(expression: Any, pointer: str, says: str) -> None:
    with pytest.raises(FilterRefused) as refused:
        compile_filter(expression)
    assert refused.value.pointer == pointer
    assert says in refused.value.message
    assert "secret" not in str(refused.value)


def test_bounds() -> None:
    nested: Any = {"exact": {"type": "link.opened"}}
    for _ in range(MAX_DEPTH - 1):
        nested = {"not": nested}
    compile_filter(nested)
    with pytest.raises(FilterRefused, match="nests deeper"):
        compile_filter({"not": nested})
    one = {"exact": {"type": "link.opened"}}
    with pytest.raises(FilterRefused, match="one too many"):
        compile_filter({"any": [one] * MAX_NODES})
    with pytest.raises(FilterRefused, match="at most"):
        parse('{"exact": {"type": "' + "x" * MAX_BYTES + '"}}')
    for text in ("", "7", "{", '"x"'):
        with pytest.raises(FilterRefused, match="must be JSON"):
            parse(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["exact", "all", "any", "not", "sql", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(_json)
def test_anything_is_compiled_or_refused(expression: Any) -> None:
    with suppress(FilterRefused):
        assert compile_filter(expression)(OVERDUE) in (True, False)


def test_query_filters_combine_and_say_what_is_allowed() -> None:
    overdue = transition(1, TransitionKind.OVERDUE, to=("le", "sergeant"), owed_by=("jail", "desk"), rule="R1")
    assert wanted().takes(overdue)
    assert wanted(agency=["le"], kind=["overdue", "escalated"]).takes(overdue)
    assert wanted(agency=["jail"], role=["desk"], urgency=["immediate"], rule=["R1"]).takes(overdue)
    assert not wanted(agency=["adv"]).takes(overdue)
    assert not wanted(role=["clerk"]).takes(overdue)
    assert not wanted(rule=["R2"]).takes(overdue)
    assert not wanted(urgency=["routine"]).takes(overdue)
    assert not wanted(kind=["opened"]).takes(overdue)
    with pytest.raises(FilterRefused, match="did you mean escalated"):
        wanted(kind=["escalatd"])
    with pytest.raises(FilterRefused, match="must be one of: psap"):
        wanted(agency=["nobody"])
    with pytest.raises(FilterRefused, match="64 times"):
        wanted(rule=[f"R{n}" for n in range(65)])
    with pytest.raises(FilterRefused, match="1 to 256"):
        wanted(role=[""])
