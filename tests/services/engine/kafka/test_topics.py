"""Topics as code: what differs is found, shown, settled where it can be, and refused by a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import UnknownTopicOrPartitionError

from ccr_events.agencies import Agency
from services.engine.kafka.topics import (
    KafkaUnreachable,
    Size,
    Topic,
    TopicsMismatch,
    apply,
    catalogue,
    cluster_admin,
    differences,
    plan,
    require_topics,
    topics_on,
)
from services.engine.kafka.topics.catalogue import CASE_VIEWS, EVENTS, INBOUND, LINKS
from services.engine.kafka.topics.standing import TopicStanding
from tests.support.kafka import make_topics

WANTED = catalogue(Size(partitions=4, copies=1))


def as_it_is(topic: Topic) -> TopicStanding:
    return TopicStanding(topic.name, topic.partitions, topic.copies, dict(topic.settings), frozenset(topic.settings))


def all_as_wanted() -> dict[str, TopicStanding]:
    return {topic.name: as_it_is(topic) for topic in WANTED}


def test_topics_keyed_by_case_have_equally_many_partitions() -> None:
    assert {t.name for t in WANTED if t.by_case} == {EVENTS, LINKS, CASE_VIEWS}
    assert {t.partitions for t in WANTED if t.by_case} == {4}


def test_who_is_known_to_kafka_is_told_that_topics_may_be_hidden_from_them() -> None:
    missing = differences(WANTED, {})
    hidden = "Or monitor may not see them: ccr kafka acls apply"
    assert str(TopicsMismatch(missing, "monitor")).endswith(hidden)
    assert "may not see" not in str(TopicsMismatch(missing))
    standing = {t.name: replace(as_it_is(t), partitions=5) for t in WANTED}
    assert "may not see" not in str(TopicsMismatch(differences(WANTED, standing), "monitor"))


def test_the_log_is_kept_for_ever_and_views_are_compacted() -> None:
    settings = {t.name: t.settings for t in WANTED}
    assert settings[EVENTS]["retention.ms"] == settings[LINKS]["retention.ms"] == "-1"
    assert settings[CASE_VIEWS]["cleanup.policy"] == "compact"
    assert {s["unclean.leader.election.enable"] for s in settings.values()} == {"false"}


def test_every_agency_writes_a_topic_of_its_own_and_the_backbone_none() -> None:
    inbound = {t.name.removeprefix(INBOUND) for t in WANTED if t.name.startswith(INBOUND)}
    assert inbound == {agency.value for agency in Agency} - {"ccr"}


class HardlyMade:
    """An admin client of brokers of which some do not know a topic yet that was made a moment ago."""

    async def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"topic": name, "error_code": 0, "partitions": [{"replicas": [1, 2, 3]}]} for name in names]

    async def describe_configs(self, asked: list[ConfigResource]) -> list[SimpleNamespace]:
        first, second = [each.name for each in asked]
        return [
            SimpleNamespace(resources=[(0, None, 2, first, [("retention.ms", "-1", False, 1)])]),
            SimpleNamespace(resources=[(UnknownTopicOrPartitionError.errno, "", 2, second, [])]),
        ]


async def test_a_topic_that_not_all_brokers_know_yet_is_not_there_yet() -> None:
    found = await topics_on(HardlyMade(), ["ccr.a", "ccr.b"])
    assert found == {"ccr.a": TopicStanding("ccr.a", 1, 3, {"retention.ms": "-1"}, frozenset({"retention.ms"}))}


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_record_is_on_all_brokers_but_one_before_it_counts(copies: int, in_sync: str) -> None:
    assert {t.settings["min.insync.replicas"] for t in catalogue(Size(4, copies))} == {in_sync}


@pytest.mark.parametrize("size", [(0, 3), (2000, 3), (4, 0), (4, 4)])
def test_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not"):
        Size(*size)


def test_nothing_differs_when_all_is_as_it_has_to_be() -> None:
    assert differences(WANTED, all_as_wanted()) == ()


def test_what_differs_is_told_with_its_remedy() -> None:
    found = all_as_wanted()
    events, views = found[EVENTS], found[CASE_VIEWS]
    found[EVENTS] = replace(events, partitions=2, settings={**events.settings, "retention.ms": "60000"})
    found[CASE_VIEWS] = replace(
        views,
        partitions=8,
        copies=3,
        settings={**views.settings, "flush.ms": "5"},
        set_here=views.set_here | {"flush.ms"},
    )
    del found[LINKS]
    told = differences(WANTED, found)
    assert [(d.topic, d.name, d.has, d.wants, d.applicable) for d in told] == [
        (EVENTS, "partitions", "2", "4", False),
        (EVENTS, "retention.ms", "60000", "-1", True),
        (LINKS, "topic", "missing", "4 partition(s)", True),
        (CASE_VIEWS, "partitions", "8", "4", False),
        (CASE_VIEWS, "copies", "3", "1", False),
        (CASE_VIEWS, "flush.ms", "5", "the broker's default", True),
    ]
    assert "another partition than its history" in str(told[0])
    assert "cannot be taken away" in str(told[3])
    assert str(told[2]) == "ccr.links: does not exist"


async def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(KafkaUnreachable, match=r"127\.0\.0\.1:9 did not answer"):
        await plan("127.0.0.1:9", WANTED)


async def test_a_service_names_only_topics_of_the_catalogue() -> None:
    with pytest.raises(ValueError, match=r"ccr\.evnts"):
        await require_topics("127.0.0.1:9", WANTED, ["ccr.evnts"])


@pytest.mark.kafka
@pytest.mark.asyncio(loop_scope="session")
class TestOnABroker:
    @pytest_asyncio.fixture(loop_scope="session")
    async def topics(self, shared_broker: str, fresh: str) -> AsyncIterator[tuple[Topic, ...]]:
        """The catalogue under names of this test's own."""
        named = tuple(replace(topic, name=f"{fresh}.{topic.name}") for topic in WANTED[:4])
        yield named
        async with cluster_admin(shared_broker) as admin:
            await admin.delete_topics([topic.name for topic in named])

    async def test_applied_once_nothing_is_left_to_do(self, shared_broker: str, topics: tuple[Topic, ...]) -> None:
        found = await plan(shared_broker, topics)
        assert {each.what for each in found} == {"topic"}
        async with cluster_admin(shared_broker) as admin:
            assert await apply(admin, topics, found) == ()
            assert await apply(admin, topics, found) == (), "another that applied at the same time is no failure"
        assert await plan(shared_broker, topics) == ()
        await require_topics(shared_broker, topics, [topic.name for topic in topics])

    async def test_changed_by_hand_it_is_refused_until_set_back(
        self, shared_broker: str, topics: tuple[Topic, ...]
    ) -> None:
        events, links, views, _ = topics
        async with cluster_admin(shared_broker) as admin:
            await apply(admin, topics, await plan(shared_broker, topics))
            by_hand = {**events.settings, "retention.ms": "1000", "flush.messages": "7"}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, events.name, by_hand)])
            await admin.create_partitions({views.name: NewPartitions(6)})
            while len(await plan(shared_broker, topics)) < 3:
                await asyncio.sleep(0.05)
            with pytest.raises(TopicsMismatch) as refused:
                await require_topics(shared_broker, topics, [events.name])
            assert [(d.name, d.has) for d in refused.value.differences] == [
                ("retention.ms", "1000"),
                ("flush.messages", "7"),
            ]
            assert f"{events.name}: retention.ms is 1000, has to be -1" in str(refused.value)
            await require_topics(shared_broker, topics, [links.name])

            left = await apply(admin, topics, await plan(shared_broker, topics))
            assert [(d.topic, d.name, d.has, d.wants) for d in left] == [(views.name, "partitions", "6", "4")]
            await require_topics(shared_broker, topics, [events.name])

    async def test_topics_of_others_are_left_alone(
        self, shared_broker: str, topics: tuple[Topic, ...], fresh: str
    ) -> None:
        async with cluster_admin(shared_broker) as admin:
            await make_topics(admin, NewTopic(f"{fresh}-other", 3, 1, topic_configs={"retention.ms": "5000"}))
            before = await topics_on(admin, [f"{fresh}-other"])
            await apply(admin, topics, await plan(shared_broker, topics))
            assert await topics_on(admin, [f"{fresh}-other"]) == before
