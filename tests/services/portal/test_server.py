"""The server around the application: where it listens, and that it says why it cannot."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar, Request, get, post

from services.engine.listening import CannotServe
from services.portal import bounded_head
from services.portal.server import served


@get("/")
async def hello() -> str:
    return "hello"


@post("/length")
async def length(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"bytes": len(await request.body()), "late": request.headers.get("x-late")}


CHUNKED = b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


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
                await send_on(caller, b"a" * 100_000)
        assert await said_at(url) == "hello"


async def send_on(caller: socket.socket, block: bytes) -> None:
    for _ in range(1_000):
        await asyncio.get_running_loop().sock_sendall(caller, block)


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


@pytest.mark.parametrize("path", [b"/length", b"/no-such-place"])
@pytest.mark.parametrize("begun", [b"X-Long: ", b""])
async def test_trailers_without_end_close_the_connection_before_they_fill_the_memory(path: bytes, begun: bytes) -> None:
    block = b"a" * 100_000 if begun else b"X-Short: a\r\n" * 8_000
    async with served(Litestar([hello, length], openapi_config=None)) as (url, _):
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as caller:
            caller.setblocking(False)
            opening = CHUNKED % path + b"2\r\nab\r\n0\r\n" + begun
            await asyncio.get_running_loop().sock_sendall(caller, opening)
            with pytest.raises(ConnectionError):
                await send_on(caller, block)
        assert await said_at(url) == "hello"


@pytest.mark.parametrize("begun", [b"0\r\n", b"0\r\nX-Late: a", b"0\r\nX-Late: a\r\n"])
async def test_trailers_that_do_not_come_free_their_connection(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_head, "HEAD_S", 0.05)
    async with served(Litestar([length], openapi_config=None)) as (url, _):
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        writer.write(CHUNKED % b"/length" + begun)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_short_trailers_are_dropped_and_the_connection_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_head, "MAX_HEAD_BYTES", 500)
    async with served(Litestar([length], openapi_config=None)) as (url, _):
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        for _ in range(10):
            writer.write(CHUNKED % b"/length" + b"3e8\r\n" + b"a" * 1_000 + b"\r\n0\r\nX-Late: yes\r\n\r\n")
            assert b" 201 " in await reader.readline()
            assert (await reader.readuntil(b"}")).endswith(b'{"bytes":1000,"late":null}')
        writer.close()
        await writer.wait_closed()


async def test_a_body_that_the_application_is_slow_to_take_is_not_held_against_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @post("/slow")
    async def slow(request: Request[Any, Any, Any]) -> dict[str, int]:
        await asyncio.sleep(10 * bounded_head.HEAD_S)
        return {"bytes": len(await request.body())}

    monkeypatch.setattr(bounded_head, "HEAD_S", 0.02)
    async with served(Litestar([slow], openapi_config=None)) as (url, _):
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        # The bytes that open the next chunk come with the read that fills the buffer, its content with one that waits.
        writer.write(CHUNKED % b"/slow" + b"11170\r\n" + b"a" * 70_000 + b"\r\n2\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"ab\r\n0\r\n\r\n")
        assert (await reader.readuntil(b"}")).endswith(b'{"bytes":70002}')
        writer.close()
        await writer.wait_closed()
