"""How many copies there are to be is a fact of the topics, not of how many brokers happen to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.engine.kafka.security import Security
from services.engine.kafka.topics import in_force
from services.engine.kafka.topics.catalogue import LAYOUT
from services.engine.kafka.topics.standing import KafkaUnreachable, TopicStanding


class Brokers:
    """An admin client of a cluster with so many brokers in service."""

    def __init__(self, running: int) -> None:
        self.running = running

    async def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": list(range(self.running))}


@pytest.mark.parametrize(
    ("held_by", "running", "copies"), [(3, 3, 3), (3, 2, 3), (1, 3, 1), (None, 1, 1), (None, 3, 3), (None, 5, 3)]
)
async def test_a_broker_that_is_down_changes_nothing(
    held_by: int | None, running: int, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def standing(admin: object, names: list[str]) -> dict[str, TopicStanding]:
        assert names == [LAYOUT]
        return {} if held_by is None else {LAYOUT: TopicStanding(LAYOUT, 1, held_by)}

    monkeypatch.setattr(in_force, "topics_on", standing)
    assert await in_force.copies_in_force(Brokers(running)) == copies


@pytest.mark.parametrize("user", [None, "alerts"])
async def test_topics_that_are_hidden_are_not_told_apart_from_missing_ones(
    user: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_layout(bootstrap: str, security: Security | None) -> None:
        return None

    monkeypatch.setattr(in_force, "read_layout", no_layout)
    security = None if user is None else Security(Path("ca.pem"), user, "obviously-no-password")
    with pytest.raises(KafkaUnreachable, match="topics apply") as refused:
        await in_force.size_in_force("127.0.0.1:1", security)
    assert ("alerts may not see them: ccr kafka acls apply" in str(refused.value)) == (user is not None)
    assert "obviously" not in str(refused.value)
