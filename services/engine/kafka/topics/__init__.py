"""Topics as code: what there is to be, what there is, the difference, and services that refuse to start on one."""

from services.engine.kafka.topics.applied import apply
from services.engine.kafka.topics.catalogue import Size, Topic, catalogue
from services.engine.kafka.topics.difference import Difference, differences
from services.engine.kafka.topics.layout import Layout, read_layout, write_layout
from services.engine.kafka.topics.required import TopicsMismatch, plan, require_topics
from services.engine.kafka.topics.standing import KafkaUnreachable, cluster_admin, ends_of, topics_on

__all__ = [
    "Difference",
    "KafkaUnreachable",
    "Layout",
    "Size",
    "Topic",
    "TopicsMismatch",
    "apply",
    "catalogue",
    "cluster_admin",
    "differences",
    "ends_of",
    "plan",
    "read_layout",
    "require_topics",
    "topics_on",
    "write_layout",
]
