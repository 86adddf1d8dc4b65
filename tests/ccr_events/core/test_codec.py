"""The stored forms are canonical: equal values are equal bytes."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from ccr_events.core.codec import decode_fact, decode_view, encode_fact, encode_view
from ccr_events.core.model import Fact
from ccr_events.core.view import CaseView

AT = datetime(2026, 2, 2, 9, tzinfo=UTC)
FACT = Fact(
    "e1", "arrest.made", "le", "c1", AT, AT, "2026", {"dv": "yes", "references": [{"kind": "k", "number": "1"}]}
)
SAME = replace(FACT, data={"references": [{"number": "1", "kind": "k"}], "dv": "yes"})


def test_the_order_of_keys_in_a_payload_changes_no_byte_of_a_fact() -> None:
    assert encode_fact(FACT) == encode_fact(SAME)
    assert decode_fact(encode_fact(SAME)) == FACT


def test_the_order_of_keys_in_a_payload_changes_no_byte_of_a_view() -> None:
    assert encode_view(CaseView("c1", {"e1": FACT})) == encode_view(CaseView("c1", {"e1": SAME}))
    assert decode_view(encode_view(CaseView("c1", {"e1": SAME}))).facts == {"e1": FACT}
