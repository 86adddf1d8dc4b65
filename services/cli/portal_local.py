"""A portal that the commands on its machine find by a directory, each agency under a key of its own, as `ccr up` is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ccr_events.agencies import Agency
from services.cli.local import Server, forget_server, read_local_keys, write_local_keys, write_server
from services.engine.unversioned import make_unversioned

if TYPE_CHECKING:
    from services.distributed import Backbone

LABEL = "local keys of ccr worker portal"
"""Says of these keys what they are for, where keys are listed."""


@asynccontextmanager
async def found_locally(directory: Path | None, backbone: Backbone, url: str) -> AsyncIterator[None]:
    """While this lasts, `--data DIRECTORY` leads to the portal at `url`; None: nothing is written."""
    if directory is None:
        yield
        return
    await asyncio.to_thread(make_unversioned, directory, 0o700)
    if not await _in_use(read_local_keys(directory), backbone):
        write_local_keys(directory, {agency.value: await backbone.issue_key(agency, LABEL) for agency in Agency})
    write_server(directory, Server(url, os.getpid()))
    try:
        yield
    finally:
        forget_server(directory)


async def _in_use(keys: Mapping[str, str], backbone: Backbone) -> bool:
    """Whether the store knows them: the directory may have been another store's."""
    found = [await backbone.keys.authenticate(key) for key in keys.values()]
    return bool(found) and None not in found
