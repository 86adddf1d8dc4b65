"""Faust at the speed of the broker: an agent is handed fetched records together, and sends its outputs together.

Stock Faust spends about 100 µs on each message. Here a message is everything that was fetched of one partition: one
event when little happens, thousands when much does. See README.md beside this file.
"""

from services.engine.kafka.batches.agent import batch_agent
from services.engine.kafka.batches.limits import read_limits
from services.engine.kafka.batches.outputs import Output, Outputs, OversizedRecord
from services.engine.kafka.batches.records import RecordBatch
from services.engine.kafka.batches.topics import batch_topic, batched_topics
from services.engine.kafka.batches.url import SCHEME, broker_url, register

__all__ = [
    "SCHEME",
    "Output",
    "Outputs",
    "OversizedRecord",
    "RecordBatch",
    "batch_agent",
    "batch_topic",
    "batched_topics",
    "broker_url",
    "read_limits",
    "register",
]

register()
