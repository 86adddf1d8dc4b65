"""One `Security`, in the words of each client library we use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from services.engine.kafka.security.credentials import MECHANISM, Security

if TYPE_CHECKING:
    from faust import SASLCredentials

_PROTOCOL = "SASL_SSL"


def aiokafka_settings(security: Security | None) -> dict[str, Any]:
    """Arguments of aiokafka's consumers, producers and admin client; none for plain text. Raises `SecurityRefused`."""
    if security is None:
        return {}
    return {
        "security_protocol": _PROTOCOL,
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": security.user,
        "sasl_plain_password": security.password,
        "ssl_context": security.tls(),
    }


def faust_credentials(security: Security | None) -> SASLCredentials | None:
    """`faust.App(broker_credentials=…)`; None for plain text. Raises `SecurityRefused`."""
    if security is None:
        return None
    from faust import SASLCredentials  # Slow to load, and most commands need no Faust.

    return SASLCredentials(
        username=security.user, password=security.password, ssl_context=security.tls(), mechanism=MECHANISM
    )


def librdkafka_settings(security: Security | None) -> dict[str, str]:
    """Settings of confluent-kafka and of everything else on librdkafka; none for plain text."""
    if security is None:
        return {}
    return {
        "security.protocol": _PROTOCOL,
        "sasl.mechanism": MECHANISM,
        "sasl.username": security.user,
        "sasl.password": security.password,
        "ssl.ca.location": os.fspath(security.ca_file),
        "ssl.endpoint.identification.algorithm": "https",
    }
