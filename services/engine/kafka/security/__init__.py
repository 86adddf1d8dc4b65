"""Who talks to Kafka, and that nobody listens in: TLS with SCRAM passwords, and who may read and write what."""

from services.engine.kafka.security.clients import aiokafka_settings, faust_credentials, librdkafka_settings
from services.engine.kafka.security.credentials import Security, SecurityRefused, read_security

__all__ = [
    "Security",
    "SecurityRefused",
    "aiokafka_settings",
    "faust_credentials",
    "librdkafka_settings",
    "read_security",
]
