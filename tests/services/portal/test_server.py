"""The server around the application: where it listens, and that it says why it cannot."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar, get

from services.portal import bounded_head
from services.portal.server import CannotServe, served


@get("/")
async def hello() -> str:
    return "hello"


async def said_at(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(url)).text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
async def test_the_address_it_tells_answers_until_the_end(host: str) -> None:
    async with served(Litestar([hello], openapi_config=None), host) as (url, serving):
        assert await said_at(url) == "hello"
        assert not serving.done()
    assert serving.done()
    with pytest.raises(httpx.ConnectError):
        await said_at(url)


async def test_a_port_in_use_is_refused_with_the_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=f"port {port} .*in use.*another"):
            async with served(Litestar([]), "127.0.0.1", port):
                pass


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.1.1.1", "x" * 300])
async def test_an_address_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(CannotServe, match="cannot listen"):
        async with served(Litestar([]), host):
            pass


async def test_an_application_that_does_not_start_is_told_as_such() -> None:
    @asynccontextmanager
    async def broken(_: Litestar) -> AsyncIterator[None]:
        raise RuntimeError("cannot start")
        yield

    with pytest.raises(CannotServe, match="did not start"):
        async with served(Litestar([], lifespan=[broken], openapi_config=None)):
            pass


async def test_a_head_without_end_is_refused_before_it_fills_the_memory() -> None:
    async with served(Litestar([hello], openapi_config=None)) as (url, _):
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as caller:
            caller.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(caller, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
            with pytest.raises(ConnectionError):
                await send_letters(caller, 100_000_000)
        assert await said_at(url) == "hello"


async def send_letters(caller: socket.socket, count: int) -> None:
    for _ in range(0, count, 100_000):
        await asyncio.get_running_loop().sock_sendall(caller, b"a" * 100_000)


async def test_a_head_that_does_not_come_frees_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_head, "HEAD_S", 0.05)
    async with served(Litestar([hello], openapi_config=None)) as (url, _):
        address = urlsplit(url).hostname, urlsplit(url).port
        for begun in (b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(begun)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


async def test_requests_on_one_connection_go_on_as_long_as_their_heads_are_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_head, "MAX_HEAD_BYTES", 500)
    async with (
        served(Litestar([hello], openapi_config=None)) as (url, _),
        httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=1)) as http,
    ):
        for _ in range(10):
            assert (await http.get(url)).status_code == 200
