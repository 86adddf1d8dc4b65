"""How a Faust app of ours is made. Faust declares no topics here: they are code, and checked before anything starts."""

from __future__ import annotations

import faust

from services.engine.kafka.apps.settings import COMMIT_S, HEARTBEAT_S, REBALANCE_TIMEOUT_S, AppSettings
from services.engine.kafka.apps.transport import worker_url
from services.engine.kafka.security import faust_credentials
from services.engine.kafka.topics import Size, catalogue, read_layout, require_topics
from services.engine.kafka.topics.standing import KafkaUnreachable, cluster_admin

NO_LAYOUT = "this cluster has no topics of the backbone yet: ccr kafka topics apply --partitions N"


async def size_in_force(settings: AppSettings) -> Size:
    """The catalogue's size that the cluster's layout says. Raises `KafkaUnreachable`."""
    layout = await read_layout(settings.bootstrap, settings.security)
    if layout is None:
        raise KafkaUnreachable(NO_LAYOUT)
    async with cluster_admin(settings.bootstrap, settings.security) as admin:
        brokers = len((await admin.describe_cluster())["brokers"])
    return layout.size(copies=min(3, brokers))


async def checked_size(settings: AppSettings, *names: str) -> Size:
    """The size in force, once the topics a service uses are as the catalogue has them; `names` as in its first
    generation. Raises `TopicsMismatch` and `KafkaUnreachable`."""
    size = await size_in_force(settings)
    wanted = catalogue(size)
    by_case = {topic.name for topic in wanted if topic.by_case}
    used = [size.named(name) if size.named(name) in by_case else name for name in names]
    await require_topics(settings.bootstrap, wanted, used, settings.security)
    return size


def make_app(settings: AppSettings) -> faust.App:
    """An app on the batch transport, whose worker the group knows again."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    return faust.App(
        settings.service,
        broker=worker_url(settings.bootstrap),
        broker_credentials=faust_credentials(settings.security),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=REBALANCE_TIMEOUT_S,
        broker_commit_interval=COMMIT_S,
        broker_client_id=f"ccr-{settings.service}",
        consumer_group_instance_id=settings.instance,
        consumer_auto_offset_reset="earliest",
        datadir=str(settings.directory / "faust"),
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_recovery_delay=0.0,
        web_enabled=settings.web_port is not None,
        web_host=settings.web_host,
        web_bind=settings.web_host,
        web_port=settings.web_port or 6066,
        web_stats_enabled=False,
        web_graph_enabled=False,
        web_router_enabled=False,
        web_tables_enabled=False,
        web_metrics_enabled=False,
    )
