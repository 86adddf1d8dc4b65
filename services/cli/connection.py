"""Which backbone a command speaks to, and with whose key: what was given, else what the data directory says."""

from __future__ import annotations

from pathlib import Path

import httpx

from ccr_events.agencies import Agency
from services.cli.client import Client, is_local
from services.cli.local import LOCAL_KEYS, read_local_keys, read_server
from services.cli.printing import warn
from services.cli.refused import Refused


def connect(
    data: Path, url: str | None = None, key: str | None = None, agency: str = "ccr", *, keyless: bool = False
) -> Client:
    """A client; raises `Refused` when it is unknown where the backbone is or which key to use."""
    url, key = address_and_key(data, url, key, agency, keyless=keyless)
    client = Client(url, key)
    warn_without_tls(client.http.base_url)
    return client


def address_and_key(
    data: Path, url: str | None, key: str | None, agency: str, *, keyless: bool = False
) -> tuple[str, str | None]:
    """Where the backbone is and which key to use; raises `Refused` when that is unknown.

    Without `url`, the service that runs on `data`. Without `key`, the local key of `agency`; a local key is only
    ever sent to the service that it was made for. `keyless`: for what anybody may ask.
    """
    server = read_server(data)
    if url is None:
        if server is None:
            raise Refused(f"{none_runs(data)}. Elsewhere: say where it is with --url and --key")
        url = server.url
    if key is None and not keyless:
        if server is None or server.url.rstrip("/") != url.rstrip("/"):
            raise Refused(f"which key is for {url}? Give one with CCR_KEY or --key (ccr keys issue makes them)")
        key = read_local_keys(data).get(agency)
        if key is None:
            raise Refused(
                f"{data / LOCAL_KEYS} holds no key for {agency}: give one with CCR_KEY or --key, "
                f"or make one with  ccr keys issue --agency {agency}  (on Kafka: with --store)"
            )
    return url, key


def none_runs(data: Path) -> str:
    """That a directory leads to no service, and what to do. On Kafka a second backbone would help nobody."""
    return (
        f"no backbone runs with data directory {data}. In one process: start it with  ccr up --data {data}. On Kafka: "
        "start  ccr worker portal --local-keys DIR  and say --data DIR, or CCR_DATA"
    )


def speaker(said: Agency | None, key: str | None, otherwise: Agency = Agency.CCR) -> str:
    """The agency whose local key a command uses: the one that --as says, else another.

    Raises `Refused` when a key is given beside --as: a key is one agency's, and nobody speaks in the wrong name.
    """
    if said is not None and key is not None:
        raise Refused(
            f"--as {said} and a key (CCR_KEY or --key) are both given, and a key speaks for its own agency whatever "
            "--as says: leave --as out, or the key (unset CCR_KEY)"
        )
    return (said or otherwise).value


def warn_without_tls(url: httpx.URL) -> None:
    """Say so when what is sent can be read on the way."""
    if url.scheme == "http" and not is_local(url.host):
        warn(f"ccr: {url.host} is spoken to without TLS: the key and the events can be read on the way")
