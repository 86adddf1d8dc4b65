"""Logs of a worker name what went wrong and where, and never quote what was being worked on."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator

import pytest

from services.cli.serving import run_serving
from services.engine.content_free import FOREIGN, log_without_content

SECRET = "1 Nowhere Lane"


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in FOREIGN}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def test_an_error_is_told_by_its_kind_and_place(capfd: pytest.CaptureFixture[str]) -> None:
    log_without_content()
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        logging.getLogger("mode").exception("Crashed reason=%r", error)
    said = capfd.readouterr().err
    assert SECRET not in said
    assert "Crashed reason='KeyError'" in said
    assert "test_an_error_is_told_by_its_kind_and_place" in said


def test_an_error_behind_an_error_is_not_quoted_either(capfd: pytest.CaptureFixture[str]) -> None:
    log_without_content()
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        logging.getLogger("services.casebook").exception("it failed")
    said = capfd.readouterr().err
    assert SECRET not in said
    assert "RuntimeError" in said


def test_a_callback_that_fails_is_not_quoted_with_what_it_was_given(capfd: pytest.CaptureFixture[str]) -> None:
    def read(data: bytes) -> None:
        raise ValueError(data)

    async def called_back() -> None:
        asyncio.get_running_loop().call_soon(read, SECRET.encode())
        await asyncio.sleep(0.01)

    log_without_content()
    asyncio.run(called_back())
    said = capfd.readouterr().err
    assert "Exception in callback" in said
    assert "ValueError" in said
    assert SECRET not in said


def test_others_only_warn(capfd: pytest.CaptureFixture[str]) -> None:
    log_without_content()
    logging.getLogger("aiokafka.consumer").info("fetched")
    logging.getLogger("services.casebook").info("folded %d", 3)
    said = capfd.readouterr().err
    assert "fetched" not in said
    assert "folded 3" in said


def test_what_others_say_again_and_again_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    log_without_content()
    for node in range(5):
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", node)
        logging.getLogger("aiokafka").error("Unable to update metadata")
        logging.getLogger("services.casebook").warning("partition %d waits", node)
    said = capfd.readouterr().err
    assert said.count("Unable connect to node") == said.count("Unable to update metadata") == 1
    assert said.count("waits") == 5


def test_a_task_whose_error_nobody_asked_for_is_not_quoted(capfd: pytest.CaptureFixture[str]) -> None:
    async def failing() -> None:
        raise ValueError(SECRET)

    async def forgotten() -> None:
        task = asyncio.create_task(failing())
        await asyncio.sleep(0)
        del task
        gc.collect()

    run_serving(forgotten())
    said = capfd.readouterr().err
    assert "exception was never retrieved" in said
    assert "ValueError" in said
    assert SECRET not in said
