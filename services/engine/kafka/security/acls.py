"""Who may do what on the cluster, as code: exactly what each service does, and one topic to write for each agency.

What no ACL allows is refused (`allow.everyone.if.no.acl.found=false`). Operations and resources are Kafka's:
https://kafka.apache.org/documentation/#operations_resources_and_protocols
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ccr_events.agencies import REPORTING
from services.engine.kafka.security.principals import (
    ALERTS,
    CASEBOOK,
    CONSOLE,
    INTAKE,
    MONITOR,
    OPERATOR,
    PORTAL,
    agency_user,
)
from services.engine.kafka.topics.catalogue import (
    CASE_VIEWS,
    EVENTS,
    INBOUND,
    LAYOUT,
    LINKS,
    QUARANTINE,
    RECEIPTS,
    Size,
)

OURS = "ccr."
"""What every topic of the backbone begins with."""
EVERY = "*"
"""Kafka's own name for whatever there is of a kind."""
CLUSTER = "kafka-cluster"
"""Kafka's own name of the cluster as a resource."""
Resource = Literal["topic", "group", "cluster", "transactional_id", "delegation_token", "user"]
Operation = Literal[
    "all",
    "read",
    "write",
    "create",
    "delete",
    "alter",
    "describe",
    "cluster_action",
    "describe_configs",
    "alter_configs",
    "idempotent_write",
    "create_tokens",
    "describe_tokens",
    "two_phase_commit",
]
"""Kafka's own words, in small letters."""
_LOOK: tuple[Operation, ...] = ("describe", "describe_configs")
_READ: tuple[Operation, ...] = ("read", *_LOOK)
_WRITE: tuple[Operation, ...] = ("write", *_LOOK)
_GROUP: tuple[Operation, ...] = ("read", "describe")


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one user may do."""

    principal: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False
    """Whether `name` is only the beginning of what is meant."""
    allows: bool = True
    """Ours all do; one that forbids was set by hand."""
    host: str = "*"
    """From where; everywhere, unless somebody set it by hand."""

    def __str__(self) -> str:
        what = f"{self.resource} {self.name}{'…' if self.prefixed else ''}"
        at = "" if self.host == "*" else f" from {self.host}"
        return f"{self.principal} {'may' if self.allows else 'may not'} {self.operation} {what}{at}"


GROUPS: Mapping[str, str] = {INTAKE: "ccr.intake", CASEBOOK: "casebook", MONITOR: "monitor"}
"""Service → the consumer group of its workers; of a Faust app that is the app's id. The monitor has an app for each
database, whose groups all begin so."""


def wanted_acls(size: Size) -> tuple[Acl, ...]:
    """Every ACL there has to be, in order; of the topics keyed by case, those of the generation in force."""
    events, links, views = size.named(EVENTS), size.named(LINKS), size.named(CASE_VIEWS)
    rights = [
        *_topics(INTAKE, _READ, [LAYOUT, RECEIPTS, *(INBOUND + agency.value for agency in REPORTING)]),
        *_topics(INTAKE, _WRITE, [events]),
        *_topics(CASEBOOK, _READ, [LAYOUT, events, views]),
        *_topics(CASEBOOK, _WRITE, [events, links, views, QUARANTINE]),
        *_topics(MONITOR, _READ, [LAYOUT, events, links, QUARANTINE]),
        # It writes nothing, but its Faust apps start an idempotent producer all the same.
        Acl(MONITOR, "cluster", CLUSTER, "idempotent_write"),
        *_topics(PORTAL, _READ, [LAYOUT]),
        *_topics(PORTAL, _WRITE, [events]),
        *_topics(ALERTS, _READ, [LAYOUT]),
        *_topics(ALERTS, _WRITE, [RECEIPTS]),
        *(
            Acl(service, "group", group, operation, prefixed=service == MONITOR)
            for service, group in GROUPS.items()
            for operation in _GROUP
        ),
        *_topics(OPERATOR, ("read", "write"), [LAYOUT]),
        *_of_all_topics(OPERATOR, ("create", "delete", "alter", "alter_configs", *_LOOK)),
        Acl(OPERATOR, "group", EVERY, "describe"),
        *(Acl(OPERATOR, "cluster", CLUSTER, operation) for operation in _LOOK),
        *_of_all_topics(CONSOLE, _LOOK),
        Acl(CONSOLE, "group", EVERY, "describe"),
        *(Acl(CONSOLE, "cluster", CLUSTER, operation) for operation in _LOOK),
    ]
    for agency in REPORTING:
        # Not its settings, nothing of another's, and no reading: what it sent is sealed from then on, for it too.
        rights += _topics(agency_user(agency), ("write", "describe"), [INBOUND + agency.value])
    return tuple(sorted(set(rights)))


def _topics(principal: str, operations: Iterable[Operation], names: Iterable[str]) -> Iterator[Acl]:
    operations = tuple(operations)
    return (Acl(principal, "topic", name, operation) for name in names for operation in operations)


def _of_all_topics(principal: str, operations: Iterable[Operation]) -> Iterator[Acl]:
    return (Acl(principal, "topic", OURS, operation, prefixed=True) for operation in operations)
