"""How a Faust app of ours is made. Faust declares no topics here: they are code, and checked before anything starts."""

from __future__ import annotations

import faust

from services.engine.kafka.apps.settings import COMMIT_S, HEARTBEAT_S, REBALANCE_TIMEOUT_S, AppSettings
from services.engine.kafka.apps.transport import worker_url
from services.engine.kafka.security import faust_credentials
from services.engine.kafka.topics import Size, in_force


async def size_in_force(settings: AppSettings) -> Size:
    """The catalogue's size that the cluster's layout says. Raises `KafkaUnreachable`."""
    return await in_force.size_in_force(settings.bootstrap, settings.security)


async def checked_size(settings: AppSettings, *names: str) -> Size:
    """The size in force, once the topics a service uses are as the catalogue has them; `names` as in its first
    generation. Raises `TopicsMismatch` and `KafkaUnreachable`."""
    return await in_force.checked_size(settings.bootstrap, *names, security=settings.security)


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
        # Faust would wait for batches that only a checkpoint acknowledges; the worker itself sees to that.
        stream_wait_empty=False,
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
