"""What laws of the core are tested on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ccr_events.core import persistent


@pytest.fixture(params=["small", "large"], scope="module")
def sizes(request: pytest.FixtureRequest) -> Iterator[None]:
    """A case of ordinary size is kept in other mappings than a large one, which also keeps which links wait for acts:
    every law holds in both."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "large":
            patch.setattr(persistent, "LARGE", 2)
        yield
