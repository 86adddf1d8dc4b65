"""Tokens: they open where they were sealed, and nowhere else."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccr_events.labels import Label
from services.sealing.keys import KeyUnavailable
from services.sealing.keystore import KeyStore
from services.sealing.master_key import MasterKey
from services.sealing.sealer import Sealer, TokenRefused

PARTS = {Label.VID: {"/parties/0/name": {"surname": "Testperson"}}, Label.VLOC: {"/address": "1 Nowhere Lane"}}


@pytest.fixture
def sealer(tmp_path: Path) -> Iterator[Sealer]:
    keys = KeyStore(tmp_path / "keys.db", MasterKey(bytes(range(32))))
    yield Sealer(keys)
    keys.close()


def test_opened_parts_are_those_sealed_and_only_the_labels_asked_for(sealer: Sealer) -> None:
    tokens = sealer.seal("case-1", "event-1", PARTS)
    assert set(tokens) == {"VID", "VLOC"}
    assert sealer.open("case-1", "event-1", tokens, list(Label)) == PARTS
    assert sealer.open("case-1", "event-1", tokens, [Label.VID]) == {Label.VID: PARTS[Label.VID]}


def test_sealing_twice_gives_two_tokens(sealer: Sealer) -> None:
    assert sealer.seal("case-1", "event-1", PARTS) != sealer.seal("case-1", "event-1", PARTS)


def test_token_moved_to_another_event_case_or_label_is_refused(sealer: Sealer) -> None:
    tokens = sealer.seal("case-1", "event-1", PARTS)
    sealer.seal("case-2", "event-2", PARTS)
    with pytest.raises(TokenRefused):
        sealer.open("case-1", "event-2", tokens, [Label.VID])
    with pytest.raises(TokenRefused):
        sealer.open("case-2", "event-1", tokens, [Label.VID])
    with pytest.raises(TokenRefused):
        sealer.open("case-1", "event-1", {"VID": tokens["VLOC"]}, [Label.VID])
    with pytest.raises(KeyUnavailable):
        sealer.open("case-3", "event-1", tokens, [Label.VID])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_altered_byte_is_refused(sealer: Sealer, place: int, flip: int) -> None:
    raw = bytearray(urlsafe_b64decode(sealer.seal("case-1", "event-1", PARTS)["VID"]))
    raw[place % len(raw)] ^= flip
    with pytest.raises(TokenRefused):
        sealer.open("case-1", "event-1", {"VID": urlsafe_b64encode(bytes(raw)).decode()}, [Label.VID])


@pytest.mark.parametrize("token", ["", "A", "AQ==", "AQAA", "é"])
def test_what_is_no_token_is_refused(sealer: Sealer, token: str) -> None:
    sealer.seal("case-1", "event-1", PARTS)
    with pytest.raises(TokenRefused):
        sealer.open("case-1", "event-1", {"VID": token}, [Label.VID])
