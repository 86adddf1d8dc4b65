"""Which Kafka a command speaks to, and as whom: options that all of them share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_type_hints

import typer

if TYPE_CHECKING:
    from services.engine.kafka.security import Security

DEFAULT_DATA = Path("ccr-kafka")
"""Where `ccr kafka up` keeps its cluster unless told otherwise."""


def _bootstrap(data: str) -> Any:
    """The option, where the directory of `ccr kafka up` is that of the option `data`."""
    words = f"Address of the cluster; by default that of ccr kafka up in {data}."
    return typer.Option("--bootstrap", envvar="CCR_KAFKA", metavar="HOST:PORT,…", help=words)


Bootstrap = Annotated[str | None, _bootstrap("--data")]
WorkersBootstrap = Annotated[str | None, _bootstrap("--kafka-data")]
"""The same of commands whose --data is their own."""
Data = Annotated[
    Path, typer.Option("--data", envvar="CCR_KAFKA_DATA", metavar="DIR", help="Directory of ccr kafka up.")
]
KafkaData = Annotated[
    Path,
    typer.Option(
        "--kafka-data", envvar="CCR_KAFKA_DATA", metavar="DIR", help="Directory of ccr kafka up, without --bootstrap."
    ),
]
"""The same of commands whose --data is their own."""
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        envvar="CCR_KAFKA_CA_FILE",
        metavar="FILE",
        help="Certificate of the authority that signed the brokers' certificates (PEM): connect by TLS.",
    ),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        envvar="CCR_KAFKA_USER",
        metavar="NAME",
        help="User of Kafka; on a secure cluster of ccr kafka up, admin unless told otherwise.",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        envvar="CCR_KAFKA_PASSWORD_FILE",
        metavar="FILE",
        help="File with that user's password. The variable CCR_KAFKA_PASSWORD may hold it instead.",
    ),
]


class Connection(NamedTuple):
    """Where a cluster is, and how it is reached."""

    bootstrap: str
    security: Security | None


def connection(
    bootstrap: str | None, data: Path, ca_file: Path | None, user: str | None, password_file: Path | None
) -> Connection:
    """What the options say; a cluster of `ccr kafka up` needs none. Raises `Refused`, `SecurityRefused`."""
    from services.cli.refused import Refused
    from services.engine.kafka.broker import security_of
    from services.engine.kafka.broker.layout import read
    from services.engine.kafka.security import read_security
    from services.engine.kafka.security.principals import ADMIN

    if bootstrap:
        return Connection(bootstrap, read_security(ca_file, user, password_file))
    cluster = read(data)
    if cluster is None:
        raise Refused(f"no Kafka was started in {data}: name one with --bootstrap, or start one with ccr kafka up")
    if ca_file or password_file or not cluster.secure:
        return Connection(cluster.bootstrap, read_security(ca_file, user, password_file))
    return Connection(cluster.bootstrap, security_of(cluster, user or ADMIN))


def connected(command: Callable[..., None], data: Any = Data) -> Callable[..., None]:
    """The command with the options above in the place of its parameter `where`, a `Connection`.

    `data`: `Data` or `KafkaData`. What `connection` raises is raised when the command runs, before it does anything.
    """
    options = {
        "bootstrap": Bootstrap if data is Data else WorkersBootstrap,
        "data" if data is Data else "kafka_data": data,
        "ca_file": CaFile,
        "user": User,
        "password_file": PasswordFile,
    }

    @wraps(command)
    def run(**given: Any) -> None:
        command(where=connection(*(given.pop(name) for name in options)), **given)

    hints = get_type_hints(command, include_extras=True)
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == "where":
            parameters += [_option(name, kind) for name, kind in options.items()]
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name]))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _option(name: str, kind: Any) -> inspect.Parameter:
    default = DEFAULT_DATA if kind in (Data, KafkaData) else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
