"""A real Apache Kafka on this machine, without Docker: its jars from Maven Central, its Java from PyPI.

Processes of its own, in KRaft mode, with everything they write in one directory. For trying out, for tests, for the
bench and for CI; a production cluster is run by whoever runs clusters.
"""

from services.engine.kafka.broker.errors import BrokerError
from services.engine.kafka.broker.jars import KAFKA_VERSION
from services.engine.kafka.broker.layout import Cluster, Node
from services.engine.kafka.broker.running import NodeStanding, broker, kill_node, standing, start, stop
from services.engine.kafka.broker.secured import password_file, security_of

__all__ = [
    "KAFKA_VERSION",
    "BrokerError",
    "Cluster",
    "Node",
    "NodeStanding",
    "broker",
    "kill_node",
    "password_file",
    "security_of",
    "standing",
    "start",
    "stop",
]
