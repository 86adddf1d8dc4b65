"""What a node is told at start: Kafka's `server.properties`, and how it logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.engine.kafka.broker.layout import HOST, Cluster, Node
from services.engine.kafka.security.authority import CERTIFICATE
from services.engine.kafka.security.credentials import MECHANISM
from services.engine.kafka.security.principals import SUPER_USERS

INTERNAL_PARTITIONS = 8
"""Partitions of Kafka's own topics (50 by default): a small machine creates and recovers them quicker."""
CLIENTS = "CLIENTS"
PEERS = "PEERS"
CONTROLLER = "CONTROLLER"
"""Names of listeners: of a secure cluster's clients, of its brokers, of its controllers."""
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"
LOG_SIZE = "10 MB"
LOG_FILES = 3
"""A node's log is cut at this size, and so many older pieces are kept."""
BROKER_SESSION_MS = 4_000
"""A broker that was not heard of for so long is taken for dead, and others go on with its partitions; Kafka's own nine
seconds are longer than an alert may take."""


def server_properties(cluster: Cluster, node: Node) -> str:
    """Text of `server.properties`. Every setting: https://kafka.apache.org/documentation/#brokerconfigs"""
    ports = {CLIENTS: node.port, PEERS: node.peer_port} if cluster.secure else {"PLAINTEXT": node.port}
    advertised = [f"{name}://{HOST}:{port}" for name, port in ports.items()]
    ours = {
        **node_settings(node.id, [f"{each.id}@{HOST}:{each.controller_port}" for each in cluster.nodes]),
        "listeners": ",".join([*advertised, f"{CONTROLLER}://{HOST}:{node.controller_port}"]),
        "advertised.listeners": ",".join(advertised),
        "log.dirs": str(cluster.data(node).absolute()),
    }
    if cluster.secure:
        ours |= secure_settings(
            str(cluster.certificate(node).absolute()), str((cluster.secrets / CERTIFICATE).absolute()), [CLIENTS]
        )
    return written({**ours, **cluster.settings})


def node_settings(node_id: int, voters: Sequence[str]) -> dict[str, str]:
    """What every node is told, wherever it runs. `voters` are the controllers, `id@host:port`."""
    copies = min(3, len(voters))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "controller.listener.names": CONTROLLER,
        "controller.quorum.voters": ",".join(voters),
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
        "broker.session.timeout.ms": str(BROKER_SESSION_MS),
        "broker.heartbeat.interval.ms": str(BROKER_SESSION_MS // 8),
    }


def secure_settings(certificate: str, authority: str, client_listeners: Sequence[str]) -> dict[str, str]:
    """What makes a node secure: TLS everywhere, clients by password (SCRAM), nodes by certificate, rights for all else.

    `certificate` and `authority` are paths on the node's machine, of PEM files.
    """
    protocols = dict.fromkeys(client_listeners, "SASL_SSL") | {PEERS: "SSL", CONTROLLER: "SSL"}
    return {
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        # Not by password: a node would have to read it from the log that only the other nodes can give it.
        "inter.broker.listener.name": PEERS,
        **{f"listener.name.{name.lower()}.ssl.client.auth": "required" for name in (PEERS, CONTROLLER)},
        "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+)$/$1/",
        "ssl.enabled.protocols": "TLSv1.3",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority,
        "sasl.enabled.mechanisms": MECHANISM,
        **{
            f"listener.name.{name.lower()}.{MECHANISM.lower()}.sasl.jaas.config": f"{_LOGIN} required;"
            for name in client_listeners
        },
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(f"User:{name}" for name in SUPER_USERS),
    }


def written(settings: Mapping[str, str]) -> str:
    """Settings as a file of properties."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


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
