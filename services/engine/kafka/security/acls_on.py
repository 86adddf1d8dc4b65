"""The ACLs of a cluster as they are: read, given and taken away.

By aiokafka's own requests, since its admin client has no methods for them; librdkafka's has, but answers a user who may
not look with an empty list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from services.engine.kafka.security.acls import Acl, Operation, Resource

_ANY = 1
_RESOURCES: Mapping[int, Resource] = {
    2: "topic",
    3: "group",
    4: "cluster",
    5: "transactional_id",
    6: "delegation_token",
    7: "user",
}
_LITERAL, _PREFIXED = 3, 4
_OPERATIONS: Mapping[int, Operation] = {
    2: "all",
    3: "read",
    4: "write",
    5: "create",
    6: "delete",
    7: "alter",
    8: "describe",
    9: "cluster_action",
    10: "describe_configs",
    11: "alter_configs",
    12: "idempotent_write",
    13: "create_tokens",
    14: "describe_tokens",
    15: "two_phase_commit",
}
_DENIES, _ALLOWS = 2, 3
_NUMBER_OF: Mapping[str, int] = {name: number for number, name in (*_RESOURCES.items(), *_OPERATIONS.items())}
"""Kafka's numbers in its protocol (ResourceType, PatternType, AclOperation, AclPermissionType), and back."""
_USER = "User:"


async def acls_on(admin: AIOKafkaAdminClient) -> frozenset[Acl]:
    """Every ACL of the cluster. Raises `KafkaError`: this user may not look, or the cluster keeps none."""
    answer = await admin._send_to_controller(DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    if answer.error_code:
        raise for_code(answer.error_code)("looking at the ACLs")
    return frozenset(
        Acl(
            principal.removeprefix(_USER),
            _RESOURCES[resource],
            name,
            _OPERATIONS[operation],
            pattern == _PREFIXED,
            permission == _ALLOWS,
            host,
        )
        for resource, name, pattern, entries in answer.resources
        for principal, host, operation, permission in entries
    )


async def give(admin: AIOKafkaAdminClient, acls: Iterable[Acl]) -> None:
    """Make ACLs; one that is there already stays. Raises `KafkaError`."""
    for acl in acls:
        answer = await admin._send_to_controller(CreateAclsRequest(*_numbers(acl)))
        for error, _ in answer.creation_responses:
            _require(error, acl)


async def take(admin: AIOKafkaAdminClient, acls: Iterable[Acl]) -> None:
    """Take ACLs away, exactly these. Raises `KafkaError`."""
    for acl in acls:
        answer = await admin._send_to_controller(DeleteAclsRequest(*_numbers(acl)))
        for error, _, matching in answer.filter_responses:
            for each in (error, *(found[0] for found in matching)):
                _require(each, acl)


def _require(error: int, acl: Acl) -> None:
    if error:
        raise for_code(error)(str(acl))


def _numbers(acl: Acl) -> tuple[Any, ...]:
    return (
        _NUMBER_OF[acl.resource],
        acl.name,
        _PREFIXED if acl.prefixed else _LITERAL,
        _USER + acl.principal,
        acl.host,
        _NUMBER_OF[acl.operation],
        _ALLOWS if acl.allows else _DENIES,
    )
