"""What lies in a cluster's directory, and what is made of what lies there."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import replace
from pathlib import Path

import orjson
import psutil
import pytest

from services.engine.kafka.broker import KAFKA_VERSION, BrokerError, Cluster, Node, standing, start, stop
from services.engine.kafka.broker.layout import STATE, new_cluster_id, read, write
from services.engine.kafka.broker.ports import all_free, free_ports
from services.engine.kafka.broker.process import process_of
from services.engine.kafka.broker.properties import log_configuration, server_properties


def cluster(directory: Path, size: int = 3) -> Cluster:
    nodes = tuple(Node(number, 9000 + number, 9100 + number) for number in range(1, size + 1))
    return Cluster(directory, "4.1.2", "kVbkoVzcSGOhbMNKxCpYXA", nodes, {"message.max.bytes": "2000"})


def settings(directory: Path, size: int) -> dict[str, str]:
    made = cluster(directory, size)
    return dict(line.split("=", 1) for line in server_properties(made, made.nodes[0]).splitlines())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(cluster(tmp_path))
    assert read(tmp_path) == cluster(tmp_path)


def test_nothing_was_ever_started(tmp_path: Path) -> None:
    assert read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "4.1.2"}', '{"nodes": [{"id": 1}]}'])
def test_a_damaged_state_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE).write_text(text)
    with pytest.raises(BrokerError, match=re.escape(str(tmp_path / STATE))):
        read(tmp_path)


def test_cluster_ids_have_kafkas_form() -> None:
    ids = {new_cluster_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each) for each in ids)


def test_one_broker_needs_no_second_copy_and_three_keep_two(tmp_path: Path) -> None:
    assert settings(tmp_path, 1)["min.insync.replicas"] == "1"
    assert settings(tmp_path, 1)["default.replication.factor"] == "1"
    assert settings(tmp_path, 3)["min.insync.replicas"] == "2"
    assert settings(tmp_path, 3)["default.replication.factor"] == "3"


def test_a_clusters_own_settings_go_last(tmp_path: Path) -> None:
    assert settings(tmp_path, 3)["message.max.bytes"] == "2000"


def test_brokers_listen_on_this_machine_only(tmp_path: Path) -> None:
    assert re.findall(r"//([^:,]+):", settings(tmp_path, 3)["listeners"]) == ["127.0.0.1", "127.0.0.1"]


def test_a_log_is_bounded(tmp_path: Path) -> None:
    made = cluster(tmp_path)
    text = log_configuration(made, made.nodes[1])
    assert "size.size = 10 MB" in text
    assert "strategy.max = 3" in text
    assert str(tmp_path / "node-2" / "kafka.log") in text


def test_no_node_of_that_number(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="no node 4; there are 1 to 3"):
        cluster(tmp_path).node(4)


def test_a_process_of_another_birth_is_a_strangers() -> None:
    me = psutil.Process(os.getpid())
    assert process_of(Node(1, 0, 0, pid=me.pid, started_at=me.create_time())) == me
    assert process_of(Node(1, 0, 0, pid=me.pid, started_at=me.create_time() - 100)) is None
    assert process_of(Node(1, 0, 0)) is None


async def test_a_stale_pid_is_neither_running_nor_stopped(tmp_path: Path) -> None:
    stale = Node(1, free_ports(1)[0], 1, pid=os.getpid(), started_at=1.0)
    write(Cluster(tmp_path, "4.1.2", new_cluster_id(), (stale,)))
    (found,) = await standing(tmp_path)
    assert found.pid is None
    assert not found.answers
    assert await stop(tmp_path) is False


async def test_stopping_what_never_was_makes_nothing(tmp_path: Path) -> None:
    assert await stop(tmp_path / "nowhere") is False
    assert not (tmp_path / "nowhere").exists()


def test_chosen_ports_are_free_and_different() -> None:
    ports = free_ports(8)
    assert len(set(ports)) == 8
    assert all_free(ports)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[3]))
        taken.listen()
        assert not all_free(ports)


def secure_settings(directory: Path) -> dict[str, str]:
    made = replace(
        cluster(directory), secure=True, nodes=tuple(Node(n, 9000 + n, 9100 + n, 9200 + n) for n in (1, 2, 3))
    )
    return dict(line.split("=", 1) for line in server_properties(made, made.nodes[0]).splitlines())


def test_nothing_of_a_secure_cluster_is_plain_text(tmp_path: Path) -> None:
    found = secure_settings(tmp_path)
    protocols = dict(each.split(":") for each in found["listener.security.protocol.map"].split(","))
    listeners = {each.split("://")[0] for each in found["listeners"].split(",")}
    assert {protocols[name] for name in listeners} == {"SASL_SSL", "SSL"}
    assert protocols["CLIENTS"] == "SASL_SSL"
    assert found["sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["ssl.enabled.protocols"] == "TLSv1.3"


def test_nodes_of_a_secure_cluster_know_each_other_by_certificate(tmp_path: Path) -> None:
    found = secure_settings(tmp_path)
    assert found["inter.broker.listener.name"] == "PEERS"
    assert found["listener.name.peers.ssl.client.auth"] == "required"
    assert found["listener.name.controller.ssl.client.auth"] == "required"
    assert "PEERS://127.0.0.1:9201" in found["listeners"]


def test_what_no_acl_allows_is_refused(tmp_path: Path) -> None:
    found = secure_settings(tmp_path)
    assert found["authorizer.class.name"].endswith("StandardAuthorizer")
    assert found["allow.everyone.if.no.acl.found"] == "false"
    assert found["super.users"] == "User:node;User:admin"


def test_a_secure_cluster_stays_secure(tmp_path: Path) -> None:
    made = replace(cluster(tmp_path), secure=True)
    write(made)
    assert read(tmp_path) == made


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka_program")
async def test_a_cluster_without_passwords_is_not_made_secure_in_place(tmp_path: Path) -> None:
    write(replace(cluster(tmp_path, 1), version=KAFKA_VERSION))
    with pytest.raises(BrokerError, match="is not secure: use another directory"):
        await start(tmp_path, secure=True)


def test_a_state_file_from_before_there_was_security_is_of_a_plain_cluster(tmp_path: Path) -> None:
    write(cluster(tmp_path))
    stored = orjson.loads((tmp_path / STATE).read_bytes())
    del stored["secure"]
    for node in stored["nodes"]:
        del node["peer_port"]
    (tmp_path / STATE).write_bytes(orjson.dumps(stored))
    assert read(tmp_path) == cluster(tmp_path)
