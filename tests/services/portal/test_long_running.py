"""The collector is set for a process that serves for long, and left as it was found."""

from __future__ import annotations

import gc

import pytest

from services.portal.long_running import THRESHOLDS, collected_rarely


def _serve_in_vain() -> None:
    with collected_rarely():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 0
        raise OSError("the port is taken")


def test_the_collector_is_as_it_was_afterwards_also_when_serving_fails() -> None:
    before = gc.get_threshold()
    with pytest.raises(OSError, match="port"):
        _serve_in_vain()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
