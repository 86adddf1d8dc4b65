"""What a node is told at start: Kafka's `server.properties`, and how it logs."""

from __future__ import annotations

from services.engine.kafka.broker.layout import HOST, Cluster, Node

INTERNAL_PARTITIONS = 8
"""Partitions of Kafka's own topics (50 by default): a small machine creates and recovers them quicker."""
LOG_SIZE = "10 MB"
LOG_FILES = 3
"""A node's log is cut at this size, and so many older pieces are kept."""


def server_properties(cluster: Cluster, node: Node) -> str:
    """Text of `server.properties`. Every setting: https://kafka.apache.org/documentation/#brokerconfigs"""
    copies = min(3, len(cluster.nodes))
    ours = {
        "process.roles": "broker,controller",
        "node.id": str(node.id),
        "listeners": f"PLAINTEXT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{node.port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{each.id}@{HOST}:{each.controller_port}" for each in cluster.nodes),
        "log.dirs": str(cluster.data(node).absolute()),
        # A misspelt topic is an error to see, not a new topic with one partition.
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(max(1, copies - 1)),
        "offsets.topic.replication.factor": str(copies),
        "offsets.topic.num.partitions": str(INTERNAL_PARTITIONS),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(max(1, copies - 1)),
        "transaction.state.log.num.partitions": str(INTERNAL_PARTITIONS),
        "group.initial.rebalance.delay.ms": "0",
    }
    return "".join(f"{name}={value}\n" for name, value in {**ours, **cluster.settings}.items())


def log_configuration(cluster: Cluster, node: Node) -> str:
    """Text of log4j's configuration: one readable file of bounded size, written until Kafka has closed everything."""
    path = cluster.log(node).absolute()
    return f"""\
status = error
shutdownHook = disable
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {path}
appender.file.filePattern = {path}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}} %-5p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = {LOG_SIZE}
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = {LOG_FILES}
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""
