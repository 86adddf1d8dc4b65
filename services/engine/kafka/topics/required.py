"""What a service asks at its start: are the topics as the catalogue has them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.engine.kafka.security import Security
from services.engine.kafka.topics.catalogue import Topic
from services.engine.kafka.topics.difference import Difference, differences
from services.engine.kafka.topics.standing import cluster_admin, topics_on


class TopicsMismatch(RuntimeError):
    """Topics are not as the catalogue has them: a service that started all the same could lose or misplace events."""

    def __init__(self, found: Sequence[Difference], user: str | None = None) -> None:
        """`user`: as whom Kafka was asked, where it shows not everything to everybody."""
        self.differences = tuple(found)
        listed = "\n".join(f"  {each}" for each in found)
        missing = user is not None and any(each.what == "topic" for each in found)
        words = f"see: {COMMAND}" + (f". {hidden_from(user)}" if user is not None and missing else "")
        super().__init__(f"{len(found)} difference(s) between Kafka's topics and the catalogue:\n{listed}\n{words}")


COMMAND = "ccr kafka topics plan"
"""What shows the differences, and how to settle them."""


def hidden_from(user: str) -> str:
    """Kafka does not tell whether a topic is missing, or hidden from who asks."""
    return f"Or {user} may not see them: ccr kafka acls apply"


async def plan(bootstrap: str, wanted: Sequence[Topic], security: Security | None = None) -> tuple[Difference, ...]:
    """What differs now. Raises `KafkaUnreachable`."""
    async with cluster_admin(bootstrap, security) as admin:
        return differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))


async def require_topics(
    bootstrap: str, wanted: Sequence[Topic], names: Iterable[str], security: Security | None = None
) -> None:
    """Called by a service before it starts, with the topics that it uses.

    Raises `TopicsMismatch` and `KafkaUnreachable`; `ValueError` for a name that is not in the catalogue.
    """
    used = frozenset(names)
    unknown = used - {topic.name for topic in wanted}
    if unknown:
        raise ValueError(f"not in the catalogue: {', '.join(sorted(unknown))}")
    found = await plan(bootstrap, [topic for topic in wanted if topic.name in used], security)
    if found:
        raise TopicsMismatch(found, None if security is None else security.user)
