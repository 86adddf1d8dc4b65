"""ACLs compared with those there have to be, and brought in line with them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient

from services.engine.kafka.security.acls import Acl
from services.engine.kafka.security.acls_on import acls_on, give, take

SEEN_PATIENCE_S = 10.0
"""How long brokers may take to show a change; what then still differs is told as left."""
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, order=True)
class AclDifference:
    """One ACL that is not as it has to be."""

    acl: Acl
    what: Literal["missing", "extra"]

    def __str__(self) -> str:
        return f"{self.what}: {self.acl}"


def acl_differences(wanted: Iterable[Acl], found: Iterable[Acl]) -> tuple[AclDifference, ...]:
    """In order; empty when all is as it has to be. One that is not wanted is a difference, whoever has it."""
    wanted, found = frozenset(wanted), frozenset(found)
    missing = (AclDifference(acl, "missing") for acl in wanted - found)
    extra = (AclDifference(acl, "extra") for acl in found - wanted)
    return tuple(sorted((*missing, *extra)))


async def apply_acls(
    admin: AIOKafkaAdminClient, wanted: Iterable[Acl], *, remove_extra: bool = False
) -> tuple[AclDifference, ...]:
    """Give what is missing and, when asked, take away what is extra; returns what differs once the brokers show it.

    Raises `KafkaError`.
    """
    wanted = tuple(wanted)
    found = acl_differences(wanted, await acls_on(admin))
    await give(admin, (each.acl for each in found if each.what == "missing"))
    if remove_extra:
        await take(admin, (each.acl for each in found if each.what == "extra"))
    left = acl_differences(wanted, await acls_on(admin))
    for _ in range(int(SEEN_PATIENCE_S / _LOOK_EVERY_S)):
        if not any(each.what == "missing" or remove_extra for each in left):
            break
        await asyncio.sleep(_LOOK_EVERY_S)
        left = acl_differences(wanted, await acls_on(admin))
    return left
