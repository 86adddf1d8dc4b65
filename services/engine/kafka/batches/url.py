"""How an app asks for this transport: by the scheme of its broker's URL."""

from __future__ import annotations

from faust.transport.drivers import TRANSPORTS

from services.engine.kafka.batches import fetched, receiving

SCHEME = "kafkabatches"
"""`faust.App(broker="kafkabatches://host:port")`."""


def register() -> None:
    """Make the scheme known to Faust; importing the package does it."""
    fetched.install()
    receiving.install()
    TRANSPORTS.aliases[SCHEME] = "services.engine.kafka.batches.transport:Transport"


def broker_url(bootstrap: str) -> str:
    """A bootstrap address (`host:port`, with commas) as Faust's URL of this transport."""
    return ";".join(f"{SCHEME}://{address.strip()}" for address in bootstrap.split(","))
