"""Passwords of users on a cluster: given anew when one was stolen or is too old. Users are made with the cluster.

By a request that aiokafka does not have (AlterUserScramCredentials, KIP-554). Kafka is not sent the password, but what
SCRAM makes of it with a salt (RFC 5802, section 3).
"""

from __future__ import annotations

from hashlib import pbkdf2_hmac
from secrets import token_bytes, token_urlsafe

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from services.engine.kafka.security.credentials import SecurityRefused
from services.engine.kafka.security.principals import USERS
from services.engine.kafka.security.private_files import PASSWORD_BYTES

ITERATIONS = 8_192
"""How often a password is hashed. Ours have 256 random bits, so more would only slow every connection."""
SALT_BYTES = 32
_SHA_512 = 2
"""Kafka's `ScramMechanism.SCRAM_SHA_512`."""


class _Answer(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUsersV0(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUsers(Request[_AlterUsersV0]):  # type: ignore[misc]
    API_KEY = 51

    def __init__(self, user: str, salt: bytes, salted_password: bytes) -> None:
        self._upsertion: tuple[object, ...] = (user, _SHA_512, ITERATIONS, salt, salted_password, {})

    def build(self, request_struct_class: type[_AlterUsersV0]) -> _AlterUsersV0:
        return request_struct_class([], [self._upsertion], {})


async def renew_password(admin: AIOKafkaAdminClient, user: str) -> str:
    """Give a user a new password, and return it; the old one opens nothing new from then on.

    Connections that are open stay open until their client or broker ends them. Raises `SecurityRefused` for a name
    that is not a user's, `KafkaError` when this user may not do so.
    """
    if user not in USERS:
        raise SecurityRefused(f"Kafka has no user {user}; there are {', '.join(sorted(USERS))}")
    password, salt = token_urlsafe(PASSWORD_BYTES), token_bytes(SALT_BYTES)
    salted = pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    answer = await admin._send_to_controller(_AlterUsers(user, salt, salted))
    for _, error, *_ in answer.results:
        if error:
            raise for_code(error)(f"the password of {user}")
    return password
