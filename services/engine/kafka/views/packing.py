"""Views as bytes that are stored and sent: another process, another machine and a later release can read them.

A version byte, then MessagePack, compressed by Zstandard with a dictionary that is a part of the release. The version
stands for the layout and the dictionary together; a new one gets a new number and the old ones stay readable. Only what
a view holds is packed, facts and links; what it derives from them is derived again. Facts are open skeletons: what is
sealed in them stays sealed.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder
from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor, ZstdError, frame_content_size

from ccr_events.core.fold import arranged
from ccr_events.core.index import of_uncorrected
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView

VERSION = 1
"""Of what `ViewPacker.pack` writes; its first byte."""
LEVEL = 1
"""Of compression: higher ones take half as long again for a twentieth less."""
MAX_UNPACKED_BYTES = 256 * 2**20
"""Of one view: a case of `MAX_FACTS_OF_A_CASE` facts takes some 10 MB."""
_FIRST = bytes([VERSION])


class NotUnpackable(ValueError):
    """Bytes that are no view this release can read: an unknown version, or damaged. The case has to be refolded."""


class Layout(Struct, array_like=True):
    """What is packed of a view. A new field goes last and has a default; any other change is a new version."""

    case_id: str
    facts: list[Fact]
    """In canonical order."""
    links: list[Link]
    simple: bool
    """No fact corrects or moves another, and none that is missing is named."""


def laid_out(view: CaseView) -> Layout:
    """What is packed of it."""
    facts = sorted(view.facts.values(), key=lambda fact: fact.order)
    return Layout(view.case_id, facts, list(view.links.values()), view.corrected == frozenset())


class ViewPacker:
    """Packs and unpacks. One thread may pack while another unpacks; no more than that."""

    __slots__ = ("_compress", "_decode", "_decompress", "_encode")

    def __init__(self) -> None:
        self._encode = Encoder().encode
        self._decode = Decoder(Layout).decode
        shared = _dictionary()
        # The checksum tells a view that was damaged on its way or on the disk from one that was not.
        self._compress = ZstdCompressor(LEVEL, dict_data=shared, write_dict_id=False, write_checksum=True).compress
        self._decompress = ZstdDecompressor(dict_data=shared).decompress

    def pack(self, view: CaseView) -> bytes:
        """The view as bytes."""
        return _FIRST + self._compress(self._encode(laid_out(view)))

    def unpack(self, packed: bytes) -> CaseView:
        """The view that `pack` was given. Raises `NotUnpackable`."""
        if packed[:1] != _FIRST:
            raise NotUnpackable(
                f"this view was packed in version {packed[0] if packed else 'none'}, and this release reads version "
                f"{VERSION}: the case is refolded from its events, or run the release that wrote it"
            )
        body = memoryview(packed)[1:]
        try:
            # A damaged length must not ask for all memory.
            if not 0 <= frame_content_size(body) <= MAX_UNPACKED_BYTES:
                raise ZstdError("no length, or one that no view has")
            raw = self._decompress(body)
            held = self._decode(raw)
        except (ZstdError, MsgspecError) as damaged:
            # The library's message could repeat what the view holds.
            raise NotUnpackable(
                f"a packed view of {len(packed):,} bytes is damaged ({type(damaged).__name__}): the case is refolded "
                "from its events"
            ) from None
        facts = {fact.id: fact for fact in held.facts}
        links = {link.id: link for link in held.links}
        if held.simple:
            return CaseView(held.case_id, facts, links, of_uncorrected(held.facts))
        return CaseView(held.case_id, facts, links, *arranged(facts))


def readable(packed: bytes) -> bool:
    """Whether this release knows the version. Cheap: whether the rest is whole, only `unpack` finds out."""
    return packed[:1] == _FIRST


@cache
def _dictionary() -> ZstdCompressionDict:
    """What views have in common, shared by all packers; frozen with its version."""
    shrunk = files(__package__).joinpath(f"dictionary-{VERSION}.zst").read_bytes()
    shared = ZstdCompressionDict(ZstdDecompressor().decompress(shrunk))
    shared.precompute_compress(level=LEVEL)
    return shared
