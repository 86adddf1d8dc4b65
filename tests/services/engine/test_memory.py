"""How many views are kept ready follows from the memory that this process may use, not only from the machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.engine.memory import memory_bytes
from services.engine.sqlite.views import LEAST_READY_FACTS, MOST_READY_FACTS, READY_FACT_BYTES, ready_facts

GIB = 2**30


def group(root: Path, path: str, limit: str) -> None:
    place = root / path
    place.mkdir(parents=True, exist_ok=True)
    (place / "memory.max").write_text(f"{limit}\n")


@pytest.mark.parametrize(
    ("own", "above", "expected"),
    [("max", "1073741824", GIB), ("536870912", "1073741824", GIB // 2), ("1073741824", "536870912", GIB // 2)],
)
def test_the_least_limit_of_the_groups_above_this_process_counts(
    tmp_path: Path, own: str, above: str, expected: int
) -> None:
    mine = tmp_path / "cgroup"
    mine.write_text("0::/counties/backbone.service\n")
    group(tmp_path, "counties/backbone.service", own)
    group(tmp_path, "counties", above)
    assert memory_bytes(tmp_path, mine) == expected


def test_inside_a_container_the_root_is_its_own_group(tmp_path: Path) -> None:
    mine = tmp_path / "cgroup"
    mine.write_text("0::/\n")
    group(tmp_path, ".", "268435456")
    assert memory_bytes(tmp_path, mine) == GIB // 4


def test_limits_of_the_first_version_count_too(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("134217728\n")
    assert memory_bytes(tmp_path, tmp_path / "nothing") == GIB // 8


def test_without_a_limit_it_is_the_machines_memory(tmp_path: Path) -> None:
    group(tmp_path, ".", "max")
    assert memory_bytes(tmp_path, tmp_path / "nothing") == memory_bytes(tmp_path / "nothing", tmp_path / "nothing")
    assert memory_bytes(tmp_path, tmp_path / "nothing") > 0


def test_an_eighth_of_the_memory_is_for_ready_views_within_bounds() -> None:
    assert ready_facts(8 * GIB) == GIB // READY_FACT_BYTES
    assert ready_facts(GIB // 64) == LEAST_READY_FACTS
    assert ready_facts(1_000 * GIB) == MOST_READY_FACTS
