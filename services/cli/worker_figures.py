"""Where workers serve their health and figures: each process of one command on a port of its own."""

from __future__ import annotations

from typing import Annotated

import typer

WebPort = Annotated[
    int | None,
    typer.Option(
        "--web-port",
        min=0,
        max=65535,
        metavar="N",
        help="Port of /healthz, /readyz and /metrics; each further process of one command takes the next one. 0: "
        "nowhere.",
    ),
]


def own_port(first: int | None, member: int | None) -> int | None:
    """Of a process that pages are served from, when the first of several has this one; None where none is."""
    return first + (member or 0) if first else None


def require_free(host: str, first: int | None, count: int = 1) -> None:
    """Raise `CannotServe` unless pages can be served from so many ports, the first of them this one."""
    from services.engine.listening import listen

    for port in range(first, first + count) if first else ():
        listen(host, port, option="--web-port").close()


def figures_words(host: str, first: int | None, count: int = 1) -> str:
    """Lines that tell where the figures of so many processes are; none where they are nowhere."""
    from services.engine.listening import url_of

    return "".join(f"figures    {url_of(host, first + each)}/metrics\n" for each in range(count)) if first else ""
