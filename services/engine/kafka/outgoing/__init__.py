"""From the store to `ccr.events`: what intake has committed is written to Kafka before it counts as accepted."""

from services.engine.kafka.outgoing.producing import PATIENCE_S, KafkaOutgoing, NotSent, sending
from services.engine.kafka.outgoing.record import EventRecord, check_size, event_record
from services.engine.kafka.topics.partition import partition_of

__all__ = [
    "PATIENCE_S",
    "EventRecord",
    "KafkaOutgoing",
    "NotSent",
    "check_size",
    "event_record",
    "partition_of",
    "sending",
]
