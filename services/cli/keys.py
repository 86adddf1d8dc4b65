"""`ccr keys`: API keys, one or more per agency, in the data directory itself or in the store of `ccr worker`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ccr_events.agencies import Agency
from services.cli.histories import Store, said
from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data

if TYPE_CHECKING:
    from services.engine.transaction import StoredKey
    from services.intake.api_keys import ApiKeys

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="API keys, kept only as hashes. Issuing and revoking in a data directory need ccr up to be stopped, or "
        "not yet started; in the store of ccr worker (--store) nothing need be stopped.",
        no_args_is_help=True,
    )
    group.command(epilog="Example: ccr keys issue --agency le --label 'records system'")(issue)
    group.command("list", epilog="Example: ccr keys list")(list_keys)
    group.command(epilog="Example: ccr keys revoke 0f3c9a7712de4b58")(revoke)
    app.add_typer(group, name="keys", rich_help_panel=KEEP)


def issue(
    context: typer.Context,
    agency: Annotated[Agency, typer.Option(help="Whose key: it publishes and listens in that agency's name.")],
    label: Annotated[str, typer.Option(metavar="TEXT", help="What it is for; never a person's name.")] = "",
    data: Data = DEFAULT_DATA,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key and show it, this once: only its hash is kept.

    A directory in which ccr up never ran is only made when --data names it here.
    """
    from services.cli.printing import json_line, say, warn

    if store is None:
        _of_a_service(data, named=said(context, "data"))
    issued = _with_keys(data, store, lambda keys: keys.issue(agency.value, label))
    if as_json:
        json_line({"key_id": issued.key_id, "agency": issued.agency, "key": issued.text})
    else:
        say(issued.text)
        where = f"for ccr up --data {data}" if store is None else "for every ccr worker on that store"
        warn(f"key {issued.key_id} of {issued.agency}, {where}; keep it now, it cannot be shown again")


def list_keys(data: Data = DEFAULT_DATA, store: Store = None, as_json: AsJson = False) -> None:
    """List every key ever issued: whose, since when, revoked or not. The service may run."""
    from services.cli.printing import json_line, table
    from services.cli.spoken import agency_name, local_time

    keys = asyncio.run(_stored(data)) if store is None else _with_keys(data, store, lambda keys: keys.all())
    if as_json:
        json_line({"keys": [_form(key) for key in keys]})
        return
    rows = [
        (
            key.key_id,
            agency_name(key.agency),
            local_time(key.created_at),
            "in use" if key.revoked_at is None else f"revoked {local_time(key.revoked_at)}",
            key.label,
        )
        for key in keys
    ]
    table(("key", "agency", "issued", "state", "label"), rows, none="No key has been issued.")


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="The public id, as ccr keys list shows it.")],
    data: Data = DEFAULT_DATA,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a key from now on. Workers that run notice within a few seconds."""
    from services.cli.printing import json_line, say

    if store is None:
        _existing(data)
    _with_keys(data, store, lambda keys: keys.revoke(key_id))
    if as_json:
        json_line({"key_id": key_id, "revoked": True})
    else:
        say(f"revoked {key_id}")


def _with_keys(data: Path, store: str | None, work: Callable[[ApiKeys], Awaitable[T]]) -> T:
    """Run `work` on the store, or as the one process that writes the directory; that is refused while `ccr up` runs."""
    from services.engine.clock import WallClock
    from services.intake.api_keys import ApiKeys

    async def in_directory() -> T:
        from services.engine.sqlite.engine import open_engine

        async with open_engine(data) as engine:
            return await work(ApiKeys(engine.writer, WallClock()))

    async def in_store(address: str) -> T:
        from services.engine.sql.store import open_store

        async with open_store(address) as opened:
            return await work(ApiKeys(opened.writer, WallClock()))

    return asyncio.run(in_directory() if store is None else in_store(store))


async def _stored(data: Path) -> list[StoredKey]:
    from services.engine.sqlite.readers import Readers

    readers = Readers(_existing(data))
    try:
        return await readers.run(lambda tx: tx.api_keys.all())
    finally:
        await readers.close()


def _of_a_service(data: Path, *, named: bool) -> None:
    """Raise `Refused` rather than make a key that no service will ever know."""
    from services.cli.local import LOCAL_KEYS
    from services.cli.refused import Refused
    from services.engine.sqlite.database import DATABASE

    if (data / DATABASE).is_file():
        return
    if (data / LOCAL_KEYS).is_file():
        raise Refused(f"{data} is of ccr worker portal, which knows the keys in its store: say --store ADDRESS")
    if not named:
        raise Refused(
            f"no ccr up has used {data} yet, so no service would know the key. For ccr worker say --store ADDRESS; to "
            f"make the key before the first  ccr up,  say --data {data}"
        )


def _existing(data: Path) -> Path:
    from services.cli.refused import Refused
    from services.engine.sqlite.database import DATABASE

    path = data / DATABASE
    if not path.is_file():
        raise Refused(f"{data} holds no keys: is it the right directory?")
    return path


def _form(key: StoredKey) -> dict[str, str | None]:
    return {
        "key_id": key.key_id,
        "agency": key.agency,
        "created_at": key.created_at.isoformat(),
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
        "label": key.label,
    }
