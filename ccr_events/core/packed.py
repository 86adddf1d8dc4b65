"""Views in about 1.5 KB each, so that a process can hold every open case of a county in memory.

A packed view is MessagePack, compressed by Zstandard. Cases are alike, so the first views that a packer packs become
the dictionary that all later ones are compressed with: nothing has to be trained or shipped, and it fits the county it
runs in. Packed views are for the memory of the process that made them: never stored, never sent.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

from ccr_events.core.fold import arranged
from ccr_events.core.index import of_uncorrected
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView

DICTIONARY_BYTES = 220 * 1024
"""Views that become the dictionary: beyond this it gives nothing more."""
LEVEL = 1
"""Of compression: higher ones take twice as long for a twentieth less."""
_PLAIN, _SHARED = b"\0", b"\1"


class _Stored(Struct, array_like=True):
    case_id: str
    facts: list[Fact]
    """In canonical order."""
    links: list[Link]
    simple: bool
    """No fact corrects or moves another, and none that is missing is named."""


class Packer:
    """Packs views and unpacks what it packed. Not for use by two threads at once."""

    __slots__ = ("_compress", "_decode", "_decompress", "_encode", "_shared", "_start")

    def __init__(self) -> None:
        self._encode = Encoder().encode
        self._decode = Decoder(_Stored).decode
        self._compress, self._decompress = ZstdCompressor(LEVEL).compress, ZstdDecompressor().decompress
        self._start = bytearray()
        self._shared: tuple[ZstdCompressor, ZstdDecompressor] | None = None

    def pack(self, view: CaseView) -> bytes:
        """The view as bytes: what it holds, not what it derives from that."""
        facts = sorted(view.facts.values(), key=lambda fact: fact.order)
        raw = self._encode(_Stored(view.case_id, facts, list(view.links.values()), view.corrected == frozenset()))
        if self._shared is not None:
            return _SHARED + self._shared[0].compress(raw)
        self._learn(raw)
        return _PLAIN + self._compress(raw)

    def unpack(self, packed: bytes) -> CaseView:
        """The view that `pack` was given."""
        body = memoryview(packed)[1:]
        if packed.startswith(_SHARED):
            assert self._shared is not None  # noqa: S101  # this packer made it
            raw = self._shared[1].decompress(body)
        else:
            raw = self._decompress(body)
        stored = self._decode(raw)
        facts = {fact.id: fact for fact in stored.facts}
        links = {link.id: link for link in stored.links}
        if stored.simple:
            return CaseView(stored.case_id, facts, links, of_uncorrected(stored.facts))
        return CaseView(stored.case_id, facts, links, *arranged(facts))

    def _learn(self, raw: bytes) -> None:
        self._start += raw
        if len(self._start) < DICTIONARY_BYTES:
            return
        shared = ZstdCompressionDict(bytes(self._start[-DICTIONARY_BYTES:]), dict_type=DICT_TYPE_RAWCONTENT)
        shared.precompute_compress(level=LEVEL)
        self._shared = (
            ZstdCompressor(LEVEL, dict_data=shared, write_dict_id=False, write_checksum=False),
            ZstdDecompressor(dict_data=shared),
        )
        self._start = bytearray()
