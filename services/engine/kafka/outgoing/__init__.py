"""From the store to `ccr.events`: what intake has committed is written to Kafka before it counts as accepted."""

from services.engine.kafka.outgoing.partition import partition_of
from services.engine.kafka.outgoing.producing import KafkaOutgoing
from services.engine.kafka.outgoing.record import EventRecord, event_record, fits

__all__ = ["EventRecord", "KafkaOutgoing", "event_record", "fits", "partition_of"]
