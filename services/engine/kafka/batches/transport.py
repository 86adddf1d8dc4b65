"""The transport that Faust finds by the scheme of the broker's URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver

from services.engine.kafka.batches.consumer import BatchConsumer


class SafeProducer(driver.Producer):
    """Every record on all replicas in sync before it counts, and written once however often it is tried."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer and a safe producer."""

    Consumer = BatchConsumer
    Producer = SafeProducer
