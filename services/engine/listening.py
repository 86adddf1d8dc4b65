"""A socket to be served from, and the address at which this machine reaches it."""

from __future__ import annotations

import socket


class CannotServe(RuntimeError):
    """The address cannot be used, or the application does not start; says what to do."""


def listen(host: str, port: int, *, shared: bool = False, option: str = "--port") -> socket.socket:
    """A socket bound to the address; port 0: any free one.

    `shared`: other processes of this user may listen there too; `option`: of the command, that chooses the port. Raises
    `CannotServe`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named; else each answer waits up to 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or "no such address"
        raise CannotServe(
            f"cannot listen on {host}, port {port} ({why}): choose another with --host or {option}"
        ) from None
    return listening


def url_of(host: str, port: int) -> str:
    """How this machine reaches it."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # read, not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
