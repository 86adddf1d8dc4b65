"""A view that was packed is read back by anybody as what it was, and bytes that are no view are told apart."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core.codec import encode_view
from ccr_events.core.fold import fold
from ccr_events.core.model import Fact
from services.engine.kafka.views.packing import VERSION, NotUnpackable, ViewPacker, readable
from tests.ccr_events.policy.test_laws import BOOK, folded, histories
from tests.support.case_views import link_of_case, view_with

PACKER = ViewPacker()
VIEW = view_with("case-1", 12, link_of_case("case-1", 1, 5, 10), text="only an open code")


@given(histories(), st.integers(0, 12), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_a_packed_view_folds_on_as_it_would_have(facts: list[Fact], cut: int, rng: random.Random) -> None:
    rng.shuffle(facts)
    view = folded(facts[:cut])
    again = ViewPacker().unpack(PACKER.pack(view))
    assert again == view
    assert (again.index, again.corrected) == (view.index, view.corrected)
    for fact in facts[cut:]:
        again = fold(again, fact, BOOK)
    assert encode_view(again) == encode_view(folded(facts))


def test_another_process_reads_it() -> None:
    script = (
        "import sys; from services.engine.kafka.views.packing import ViewPacker; "
        "from ccr_events.core.codec import encode_view; "
        "sys.stdout.buffer.write(encode_view(ViewPacker().unpack(sys.stdin.buffer.read())))"
    )
    told = subprocess.run([sys.executable, "-c", script], input=PACKER.pack(VIEW), capture_output=True, check=True)
    assert told.stdout == encode_view(VIEW)


def test_a_view_packed_by_version_1_is_still_read() -> None:
    """Frozen: a later release must read what lies on `ccr.case-views`. Never change these bytes; add others."""
    packed = bytes.fromhex(FROZEN)
    assert packed[0] == 1
    assert PACKER.unpack(packed) == view_with("case-9", 2, link_of_case("case-9", 1, 5, 10))


def test_an_unknown_version_is_not_guessed_at() -> None:
    packed = bytes([VERSION + 1]) + PACKER.pack(VIEW)[1:]
    assert not readable(packed)
    assert readable(PACKER.pack(VIEW))
    with pytest.raises(NotUnpackable, match=f"version {VERSION + 1}.*refolded"):
        PACKER.unpack(packed)
    with pytest.raises(NotUnpackable, match="version none"):
        PACKER.unpack(b"")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_is_noticed_and_what_is_damaged_is_not_told(data: st.DataObject) -> None:
    packed = bytearray(PACKER.pack(VIEW))
    place = data.draw(st.integers(1, len(packed) - 1))
    packed[place] ^= 1 << data.draw(st.integers(0, 7))
    told = None
    try:
        again = PACKER.unpack(bytes(packed))
    except NotUnpackable as refused:
        told = str(refused)
    # Nearly every flip is noticed; the others change nothing.
    assert again == VIEW if told is None else "only an open code" not in told


@pytest.mark.parametrize("length", [1, 2, 9, 30])
def test_a_cut_view_is_damaged(length: int) -> None:
    with pytest.raises(NotUnpackable, match="damaged"):
        PACKER.unpack(PACKER.pack(VIEW)[:length])


FROZEN = (
    "0128b52ffd640200b50400f40594a6636173652d39929aad20666163742030ab2ed6ff695ba7c0a2653181a474657874a0c0"
    "a031fcfc91dc00136c696e6b2031a6a472756c65a26531666163742031a26c65a6a36e6f77d6ff695ba8ec0092695ba8ec5b"
    "aa18c0c0c0c090c313fcc67b3459b9e35d5fe6d972be3c0fe92bb5f5ee0f4e42a20c32209cb3f213431190a3f7f4cc4463a4"
    "2a84a4456ceba48efe350141b1264d"
)
