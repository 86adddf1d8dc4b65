"""Free ports of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import ExitStack

from services.engine.kafka.broker.layout import HOST


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on now; another process may still take one before it is used."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def all_free(ports: Iterable[int]) -> bool:
    """Whether a server can listen on every one of these now."""
    for port in ports:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((HOST, port))
            except OSError:
                return False
    return True
