"""What is given to a worker, and what it refuses to start with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.distributed import KeysBesideTheLog, Settings, open_backbone
from services.engine.kafka.broker.ports import free_ports
from services.engine.kafka.topics import KafkaUnreachable
from services.engine.ports import Submission
from services.sealing.keys import KeyStoreError, WrongMasterKey
from services.sealing.master_key import MasterKeyError
from tests.services.distributed.conftest import Cluster
from tests.support.doors import an_event


def somewhere(tmp_path: Path, **changed: str) -> Settings:
    given = {
        "bootstrap": f"127.0.0.1:{free_ports(1)[0]}",
        "store": "postgresql://ccr:secret@db/ccr",
        "keys": "postgresql://ccr:secret@keys/ccr",
    }
    return Settings(**{**given, **changed}, master_key=tmp_path / "master.key")


@pytest.mark.parametrize("keys", ["postgresql://ccr:secret@db/ccr", "postgresql://other:secret@db/ccr"])
async def test_keys_beside_the_log_are_refused(tmp_path: Path, keys: str) -> None:
    with pytest.raises(KeysBesideTheLog, match="--keys") as refused:
        async with open_backbone(somewhere(tmp_path, keys=keys)):
            pass
    assert "secret" not in str(refused.value)


async def test_another_database_on_the_same_server_is_another_place(tmp_path: Path) -> None:
    with pytest.raises(KafkaUnreachable):  # what is looked at next
        async with open_backbone(somewhere(tmp_path, keys="postgresql://ccr:secret@db/keys")):
            pass


def test_no_password_is_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(somewhere(tmp_path))


@pytest.mark.kafka
@pytest.mark.asyncio(loop_scope="session")
async def test_another_key_store_than_the_one_that_sealed_is_refused(
    cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    async with open_backbone(settings) as backbone:
        await backbone.publisher.submit([Submission(an_event(1, narrative="what he did"), "le", "0" * 16)])
    with pytest.raises(KeyStoreError, match="holds events"):
        async with open_backbone(replace(settings, keys=f"sqlite:///{tmp_path / 'other.sqlite'}")):
            pass
    with pytest.raises(MasterKeyError, match="there is no master key"):
        async with open_backbone(replace(settings, master_key=tmp_path / "lost.key")):
            pass
    other = tmp_path / "other.key"
    other.write_text("A" * 43 + "=")
    other.chmod(0o600)
    with pytest.raises(WrongMasterKey):
        async with open_backbone(replace(settings, master_key=other)):
            pass
