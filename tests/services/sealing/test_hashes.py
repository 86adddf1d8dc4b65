"""Keyed hashes: equal for equal content, silent without the key."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.sealing.hashes import Hmac, KeyedHashes
from services.sealing.master_key import MasterKey
from tests.support.doors import MASTER, an_event

HASHES = KeyedHashes(MASTER)
EVENT = an_event(1, refs=(("incident_no", "26-1"),), narrative="words")


def test_digest_ignores_the_order_of_keys_and_the_trace_of_delivery() -> None:
    turned = replace(
        EVENT, data=dict(reversed(EVENT.data.items())), traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"
    )
    assert HASHES.event_digest(turned, "le") == HASHES.event_digest(EVENT, "le")


def test_digest_differs_for_other_content_agency_or_key() -> None:
    others = [
        HASHES.event_digest(replace(EVENT, data={**EVENT.data, "narrative": "other"}), "le"),
        HASHES.event_digest(replace(EVENT, occurred_at=EVENT.occurred_at + timedelta(seconds=1)), "le"),
        HASHES.event_digest(replace(EVENT, case_id="case-1"), "le"),
        HASHES.event_digest(EVENT, "jail"),
        KeyedHashes(MasterKey(bytes(32))).event_digest(EVENT, "le"),
    ]
    assert HASHES.event_digest(EVENT, "le") not in others


def test_parts_of_a_key_are_kept_apart() -> None:
    assert HASHES.person_token("ab", "c") != HASHES.person_token("a", "bc")
    assert HASHES.block("ab", "c") != HASHES.block("a", "bc")


def test_hash_of_one_use_is_not_the_hash_of_another() -> None:
    assert HASHES.block("a", "b").hex() not in HASHES.person_token("a", "b")


def test_repr_shows_no_key() -> None:
    assert "_digest" not in repr(HASHES)
    assert MASTER.subkey("event digest").hex() not in repr(HASHES)


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_a_keyed_hash_is_the_hmac_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert Hmac(key).of(message) == hmac.digest(key, message, "sha256")
