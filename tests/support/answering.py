"""A backbone that answers from a script, for tests of the client: no network, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import orjson

from services.cli.client import Client

URL = "http://127.0.0.1:8700"
KEY = "ccr_0000000000000000_test"
Answering = Callable[[httpx.Request], httpx.Response]


def json_answer(status: int, body: object, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=orjson.dumps(body), headers=headers)


class Script:
    """Answers each request with the next of its answers (the last one again and again); keeps the requests."""

    def __init__(self, *answers: Answering) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        return answer(request)

    def client(self) -> Client:
        return Client(URL, KEY, sleep=self.waits.append, transport=httpx.MockTransport(self))


def refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def frames(*numbers: int, then: Exception | None = None) -> Answering:
    """An alert stream with these places, which then ends or breaks."""

    def content() -> Iterator[bytes]:
        for number in numbers:
            yield b'id: %d\nevent: link.opened\ndata: {"type":"link.opened","n":%d}\n\n: still here\n\n' % (
                number,
                number,
            )
        if then is not None:
            raise then

    return lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content())
