"""What the writing connection remembers of the case index is what its tables say, whatever was undone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engine.sqlite import remembered
from services.engine.sqlite.case_index import SqliteCaseIndex
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import migrate
from services.engine.transaction import ReferenceKey

_CASES = ("case-a", "case-b", "case-c")
_NUMBERS = [ReferenceKey(kind, number, issuer) for kind in ("k", "l") for number in "12" for issuer in ("", "PD")]
_PAIRS = [("p1", "p2"), ("p2", "p1"), ("p1", "p3")]
_case = st.sampled_from(_CASES)
_STEPS = st.one_of(
    st.tuples(st.just("bind"), st.sampled_from(_NUMBERS), _case),
    st.tuples(st.just("pair"), st.sampled_from(_PAIRS), _case),
    st.tuples(st.just("merge"), _case, _case | st.none()),
    st.tuples(st.sampled_from(["settle", "take back", "fail"]), st.none(), st.none()),
)


class _Index:
    """One index that remembers, and one beside it that asks the same tables each time."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection)
        self.savepoint = Savepoint(self.connection, writable=True)
        self.index = SqliteCaseIndex(self.connection, CaseNumbers(self.connection, writable=True), self.savepoint)
        reading = Savepoint(self.connection, writable=False)
        self.asking = SqliteCaseIndex(self.connection, CaseNumbers(self.connection, writable=False), reading)
        self.connection.execute("BEGIN")

    def step(self, act: str, what: object, case_id: str | None) -> None:
        if act == "bind":
            self.index.bind(what, case_id)  # type: ignore[arg-type]
        elif act == "pair":
            self.index.bind_dyad(*what, case_id)  # type: ignore[misc]
        elif act == "merge":
            self.index.set_forward(what, case_id)  # type: ignore[arg-type]
        elif act == "settle":
            self.savepoint.settle()
        elif act == "take back":
            self.savepoint.take_back()
        else:
            self.connection.execute("ROLLBACK")
            self.savepoint.forget()
            self.connection.execute("BEGIN")

    def check(self) -> None:
        for index in (self.index, self.index):  # the second time from memory
            assert [index.case_of(n) for n in _NUMBERS] == [self.asking.case_of(n) for n in _NUMBERS]
            assert [index.dyad_case(*p) for p in _PAIRS] == [self.asking.dyad_case(*p) for p in _PAIRS]
            assert [index.forward_of(c) for c in _CASES] == [self.asking.forward_of(c) for c in _CASES]


@given(st.lists(_STEPS, max_size=12))
def test_what_is_remembered_is_what_the_tables_say(steps: Sequence[tuple[str, object, str | None]]) -> None:
    index = _Index()
    index.check()
    for act, what, case_id in steps:
        index.step(act, what, case_id)
        index.check()
    index.connection.close()


def test_a_kind_with_too_many_numbers_is_asked_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "HELD_NUMBERS", 2)
    index = _Index()
    for number in "1234":
        index.check()
        index.index.bind(ReferenceKey("k", number), "case-a")
    index.check()
    assert index.index.case_of(ReferenceKey("k", "4")) == "case-a"
    index.connection.close()


def test_no_more_answers_are_kept_than_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "REMEMBERED", 2)
    kept: remembered.Remembered[int, str] = remembered.Remembered(writing=True)
    for key in range(3):
        kept.keep(key, "answer")
    assert [kept.get(key) for key in range(3)] == [None, "answer", "answer"]
