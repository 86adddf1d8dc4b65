"""Whether a real Kafka can be had here."""

from __future__ import annotations

import os

import pytest

from services.engine.kafka.broker import BrokerError
from services.engine.kafka.broker.jars import class_path, java


def need_kafka() -> None:
    """Skip where there is neither Kafka nor a way to fetch it; in CI that is a failure."""
    try:
        java()
        class_path()
    except BrokerError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have a broker: {missing}")
        pytest.skip(str(missing))
