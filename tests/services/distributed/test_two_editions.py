"""Workers whose policy documents differ for a while: each event is judged by those of whoever took it in."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest

from services.distributed import Settings
from tests.services.distributed.conftest import Cluster
from tests.services.distributed.test_alerts_worker import client, issued_to
from tests.services.distributed.test_commands import issued
from tests.services.distributed.test_to_the_reader import publish
from tests.support.running import running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 90.0
RULE = "L06b"
"""An advocate is assigned after an arrest; a change of policy halves the time for it."""


def folders(place: Path) -> tuple[Path, Path]:
    """The packaged policies, and the same with a newer advocacy protocol."""
    old, new = place / "old", place / "new"
    with as_file(files("ccr_events.policy").joinpath("documents")) as packaged:
        for folder in (old, new):
            copytree(packaged, folder)
    text = (old / "advocacy-1.0.0.yaml").read_text(encoding="utf-8")
    assert text.count("due: {within: 2 h}") == 1
    for was, now in (
        ("version: 1.0.0", "version: 1.3.0"),
        ("effective: 2020-01-01", "effective: 2026-02-01"),
        ("due: {within: 2 h}", "due: {within: 1 h}"),
    ):
        text = text.replace(was, now, 1)
    (new / "advocacy-1.3.0.yaml").write_text(text, encoding="utf-8")
    return old, new


async def test_portals_and_casebooks_are_given_new_policies_one_after_the_other(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (["--policies", str(folder)] for folder in folders(tmp_path / "policies"))
    kafka, store = ["--bootstrap", cluster.bootstrap, "--json"], ["--store", settings.store]
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", "0"]
    monitoring = ["worker", "monitor", *kafka, "--data", str(tmp_path / "m"), *store, "--web-port", "0"]
    casebook = ["worker", "casebook", *kafka, "--data", str(tmp_path / "casebook"), "--web-port", "0"]
    with (
        running(tmp_path / "old portal", "worker", "portal", *kafka, *store, *keys, *old) as older,
        running(tmp_path / "old casebook", *casebook, *old) as left_behind,
        running(tmp_path / "monitor", *monitoring) as monitor,
    ):
        first = (await asyncio.to_thread(older.line))["url"]
        police = await asyncio.to_thread(issued, settings.store, capsys)
        advocate = await asyncio.to_thread(issued_to, "adv", settings.store, capsys)
        with running(tmp_path / "new portal", "worker", "portal", *kafka, *store, *keys, *new) as newer:
            second = (await asyncio.to_thread(newer.line))["url"]
            async with (
                client(first, police) as to_older,
                client(second, police) as to_newer,
                client(first, advocate) as reading,
            ):
                assert time_for(await link(reading, await publish(to_older, 1))) == timedelta(hours=2)
                assert "ccr_policies_missing 0.0" in (await to_older.get("/metrics")).text
                case = await publish(to_newer, 2)
                assert await asyncio.to_thread(left_behind.end) == 1
                assert "policy edition 2026-02-01-" in left_behind.told
                with running(tmp_path / "new casebook", *casebook, *new) as caught_up:
                    assert time_for(await link(reading, case)) == timedelta(hours=1)
                    # Whoever has only the old documents goes on by them, and says that others have newer ones.
                    assert time_for(await link(reading, await publish(to_older, 3))) == timedelta(hours=2)
                    async with asyncio.timeout(PATIENCE_S):
                        while "ccr_policies_missing 1.0" not in (await to_older.get("/metrics")).text:
                            await asyncio.sleep(0.2)
                    assert "ccr_policies_missing 0.0" in (await to_newer.get("/metrics")).text
                    assert "another worker judges events by policy edition 2026-02-01-" in older.told
                    assert (await to_older.get("/readyz")).status_code == 200
                    refused = await reading.post(
                        f"/v1/links/{(await link(reading, case))['id']}/waive",
                        json={"role": "advocacy director", "reason": "not_applicable"},
                    )
                    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), refused.text
                    assert await asyncio.to_thread(caught_up.stop, signal.SIGTERM) == 0, caught_up.told
            assert await asyncio.to_thread(newer.stop, signal.SIGTERM) == 0, newer.told
        for worker in (monitor, older):
            assert await asyncio.to_thread(worker.stop, signal.SIGTERM) == 0, worker.told


async def link(http: httpx.AsyncClient, case: str) -> dict[str, Any]:
    """The case's link of the rule, once it is there."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = (await http.get("/v1/links", params={"case_id": case, "open_only": "false"})).json()["links"]
            for each in found:
                if each["rule"] == RULE:
                    return dict(each)
            await asyncio.sleep(0.1)


def time_for(owed: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(owed["due_at"]) - datetime.fromisoformat(owed["opened_at"])
