"""What can go wrong with a broker of our own."""

from __future__ import annotations


class BrokerError(RuntimeError):
    """A broker could not be fetched, started, reached or stopped; says which, why and what to do."""
