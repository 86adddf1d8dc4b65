"""Case views: facts and links put together, in two caches of bounded size. Implements `ViewStore`."""

from __future__ import annotations

from collections import OrderedDict

from ccr_events.core.fold import arranged
from ccr_events.core.packed import Packer
from ccr_events.core.view import CaseView
from services.engine.buffer import Buffer
from services.engine.memory import memory_bytes
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.events import stored_facts
from services.engine.sqlite.links import stored_links

READY_SHARE = 8
"""An eighth of the memory this process may use is for views that are ready to fold on."""
READY_FACT_BYTES = 3_072
"""What a fact of a ready view takes, with its links."""
LEAST_READY_FACTS = 50_000
"""Facts of ready views, of all together, however little memory there is (about 150 MB)."""
MOST_READY_FACTS = 1_000_000
"""However much there is (about 3 GB)."""
PACKED_BYTES = 256 * 2**20
"""What further views may take, packed: some 200,000 open cases. Beyond it the ones used longest ago are read again."""


class SqliteViews:
    """The views used last are kept ready, more of them packed; a view that is not on disk stays until it is."""

    __slots__ = (
        "_cases", "_connection", "_most_ready", "_new", "_packed", "_packed_bytes", "_packer", "_ready", "_ready_facts",
        "_writable",
    )  # fmt: skip

    def __init__(self, connection: Executing, cases: CaseNumbers, *, writable: bool) -> None:
        self._connection = connection
        self._cases = cases
        self._new: Buffer[str, CaseView] = Buffer(writable=writable)
        self._ready: OrderedDict[str, CaseView] = OrderedDict()
        self._ready_facts = 0
        self._most_ready = ready_facts(memory_bytes()) if writable else 0
        self._packer = Packer()
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._packed_bytes = 0
        self._writable = writable

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""
        view = self._new.get(case_id)
        if view is not None:
            return view
        view = self._ready.get(case_id)
        if view is not None:
            self._ready.move_to_end(case_id)
            return view
        view = self._unpacked(case_id) or self._load(case_id)
        self._keep(view)
        return view

    def put(self, view: CaseView) -> None:
        """The new state of a case."""
        self._new.put(view.case_id, view)

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._new.hand_over()

    def landed(self) -> None:
        """Facts and links are on disk by now: the cache may hold the views."""
        for view in self._new.handed.values():
            self._keep(view)
        self._new.landed()

    def forget(self) -> None:
        """The group failed: what is in memory may not be on disk."""
        self._new.clear()
        self._ready.clear()
        self._ready_facts = 0
        self._packed.clear()
        self._packed_bytes = 0

    def _load(self, case_id: str) -> CaseView:
        return load_view(self._connection, case_id, self._cases.find(case_id))

    def _keep(self, view: CaseView) -> None:
        if not self._writable or not view.facts:
            return
        before = self._ready.pop(view.case_id, None)
        if before is None:
            self._drop_packed(view.case_id)
        self._ready_facts += len(view.facts) - (0 if before is None else len(before.facts))
        self._ready[view.case_id] = view
        while self._ready_facts > self._most_ready and len(self._ready) > 1:
            _, oldest = self._ready.popitem(last=False)
            self._ready_facts -= len(oldest.facts)
            self._pack(oldest)

    def _pack(self, view: CaseView) -> None:
        packed = self._packer.pack(view)
        self._packed[view.case_id] = packed
        self._packed_bytes += len(packed)
        while self._packed_bytes > PACKED_BYTES:
            _, oldest = self._packed.popitem(last=False)
            self._packed_bytes -= len(oldest)

    def _unpacked(self, case_id: str) -> CaseView | None:
        packed = self._packed.get(case_id)
        return None if packed is None else self._packer.unpack(packed)

    def _drop_packed(self, case_id: str) -> None:
        packed = self._packed.pop(case_id, None)
        if packed is not None:
            self._packed_bytes -= len(packed)


def ready_facts(memory: int) -> int:
    """How many facts of views are kept ready where so many bytes may be used."""
    return min(max(memory // READY_SHARE // READY_FACT_BYTES, LEAST_READY_FACTS), MOST_READY_FACTS)


def load_view(connection: Executing, case_id: str, number: int | None) -> CaseView:
    """The view as it is on disk; `number` is the case's."""
    if number is None:
        return CaseView(case_id)
    facts = stored_facts(connection, number)
    if not facts:
        return CaseView(case_id)
    return CaseView(case_id, facts, stored_links(connection, number), *arranged(facts))
