"""Answers come in pieces of any size, all at once or not at all; the reader hands out what was sent, in order."""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import conn
from hypothesis import given
from hypothesis import strategies as st

from services.engine.kafka.batches.receiving import (
    AHEAD_BYTES,
    MAX_ANSWER_BYTES,
    Receiver,
    install,
    receive_whole,
)
from services.engine.kafka.security.authority import keep_node_certificate, kept_authority

PATIENCE_S = 30
SIZES = [4, 4, 5, 100, AHEAD_BYTES - 4, AHEAD_BYTES, AHEAD_BYTES + 1, 300_000]


class Transport:
    """What a receiver asks of one."""

    def __init__(self) -> None:
        self.paused = False

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


class Beneath(asyncio.Protocol):
    """What a connection had before."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def eof_received(self) -> bool:
        self.told.append("ended")
        return False

    def connection_lost(self, failed: Exception | None) -> None:
        self.told.append(failed)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


def new_receiver() -> tuple[Receiver, Transport, Beneath]:
    transport, beneath = Transport(), Beneath()
    return Receiver(beneath, transport), transport, beneath  # type: ignore[arg-type]


def feed(receiver: Receiver, sent: bytes) -> int:
    """As a transport does: no more than the buffer it was given; how many bytes went in."""
    buffer = receiver.get_buffer(-1)
    assert len(buffer) > 0
    count = min(len(buffer), len(sent))
    buffer[:count] = sent[:count]
    receiver.buffer_updated(count)
    return count


@given(
    st.lists(st.sampled_from(SIZES), min_size=1, max_size=8),
    st.lists(st.sampled_from([1, 3, 4, 1_000, AHEAD_BYTES, 200_000]), min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_what_is_read_is_what_was_sent(counts: list[int], pieces: list[int], ahead: int) -> None:
    """Also when much came before it was asked for."""
    sent = random.Random(7).randbytes(sum(counts))

    async def read() -> list[bytes]:
        receiver, transport, _ = new_receiver()

        async def fed() -> None:
            place = turn = 0
            while place < len(sent):
                # Single bytes only as long as there are few: it is about where the pieces end.
                piece = pieces[turn % len(pieces)] if turn < 200 else 200_000
                if not transport.paused:
                    place += feed(receiver, sent[place : place + piece])
                if turn >= ahead:
                    await asyncio.sleep(0)
                turn += 1
                if turn < ahead and transport.paused:
                    await asyncio.sleep(0)

        feeding = asyncio.create_task(fed())
        async with asyncio.timeout(PATIENCE_S):
            found = [await receiver.readexactly(count) for count in counts]
            await feeding
        assert not transport.paused
        return found

    found = asyncio.run(read())
    assert b"".join(found) == sent
    assert [len(each) for each in found] == counts
    assert all(isinstance(each, bytes) for each in found)


async def test_more_than_is_kept_ahead_waits_in_the_system() -> None:
    receiver, transport, _ = new_receiver()
    assert feed(receiver, bytes(AHEAD_BYTES + 10)) == AHEAD_BYTES
    assert transport.paused
    assert await receiver.readexactly(4) == bytes(4)
    assert transport.paused
    assert len(await receiver.readexactly(AHEAD_BYTES - 4)) == AHEAD_BYTES - 4
    assert not transport.paused


async def test_a_broker_that_ends_in_the_middle_of_an_answer() -> None:
    receiver, _, beneath = new_receiver()
    reading = asyncio.create_task(receiver.readexactly(10))
    await asyncio.sleep(0)
    feed(receiver, b"abc")
    receiver.eof_received()
    with pytest.raises(asyncio.IncompleteReadError) as failed:
        await reading
    assert (failed.value.partial, failed.value.expected) == (b"abc", 10)
    assert beneath.told == ["ended"]
    assert receiver.at_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await receiver.readexactly(1)


async def test_what_came_before_the_end_is_still_read() -> None:
    receiver, _, _ = new_receiver()
    feed(receiver, b"abcdef")
    receiver.connection_lost(None)
    assert not receiver.at_eof()
    assert await receiver.readexactly(4) == b"abcd"
    with pytest.raises(asyncio.IncompleteReadError) as failed:
        await receiver.readexactly(4)
    assert failed.value.partial == b"ef"


async def test_a_connection_that_is_lost_fails_what_waits_and_all_that_follows() -> None:
    receiver, _, beneath = new_receiver()
    reading = asyncio.create_task(receiver.readexactly(10))
    await asyncio.sleep(0)
    lost = ConnectionResetError("gone")
    receiver.connection_lost(lost)
    for waiting in (reading, receiver.readexactly(4)):
        with pytest.raises(ConnectionResetError, match="gone"):
            await waiting
    assert beneath.told == [lost]


async def test_a_reading_that_is_given_up_leaves_the_connection_in_order() -> None:
    receiver, _, _ = new_receiver()
    reading = asyncio.create_task(receiver.readexactly(10))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    feed(receiver, b"abcd")
    receiver.connection_lost(None)
    assert await receiver.readexactly(4) == b"abcd"


@pytest.mark.parametrize("count", [-1, MAX_ANSWER_BYTES + 1])
async def test_an_answer_that_none_can_be_takes_no_memory(count: int) -> None:
    receiver, _, _ = new_receiver()
    with pytest.raises(ValueError, match="announces an answer"):
        await receiver.readexactly(count)


async def test_what_is_written_goes_on_as_before() -> None:
    receiver, _, beneath = new_receiver()
    receiver.pause_writing()
    receiver.resume_writing()
    assert beneath.told == ["pause", "resume"]


@asynccontextmanager
async def server(answers: list[bytes], tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Speaks in frames as a broker does; yields its port."""

    async def told(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(struct.pack(">i", len(answer)) + answer)
        await writer.drain()
        writer.close()

    serving = await asyncio.start_server(told, "127.0.0.1", 0, ssl=tls)
    async with serving:
        yield serving.sockets[0].getsockname()[1]


@pytest.mark.parametrize("encrypted", [False, True])
async def test_frames_over_a_real_connection_with_and_without_tls(encrypted: bool, tmp_path: Path) -> None:
    theirs = ours = None
    if encrypted:
        keep_node_certificate(tmp_path / "node.pem", kept_authority(tmp_path, _now()), ["127.0.0.1"], _now())
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.load_cert_chain(tmp_path / "node.pem")
        ours = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    answers = [random.Random(size).randbytes(size) for size in (1, 70_000, 3, 3_000_000, 12, 1_000_000)]
    loop = asyncio.get_running_loop()
    async with server(answers, theirs) as port, asyncio.timeout(PATIENCE_S):
        beneath = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        transport, _ = await loop.create_connection(lambda: beneath, "127.0.0.1", port, ssl=ours)
        receiver = Receiver(beneath, transport)
        transport.set_protocol(receiver)
        found = []
        for _ in answers:
            (size,) = struct.unpack(">i", await receiver.readexactly(4))
            found.append(await receiver.readexactly(size))
        with pytest.raises(asyncio.IncompleteReadError):
            await receiver.readexactly(4)
        transport.close()
    assert found == answers


def _now() -> datetime:
    return datetime.now(UTC)


async def test_only_connections_of_our_loops_are_received_so() -> None:
    install()
    async with server([], None) as port:
        for ours in (False, True):
            if ours:
                receive_whole(asyncio.get_running_loop())
            connection = conn.AIOKafkaConnection("127.0.0.1", port)
            connecting = asyncio.create_task(connection.connect())
            async with asyncio.timeout(PATIENCE_S):
                while connection._reader is None and not connecting.done():
                    await asyncio.sleep(0)
            assert isinstance(connection._reader, Receiver) == ours
            connection.close()
            await asyncio.gather(connecting, return_exceptions=True)
