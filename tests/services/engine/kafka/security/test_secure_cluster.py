"""A secure cluster of three real brokers: who may do what there, and what nobody may."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import confluent_kafka
import httpx
import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest

from ccr_events.catalogue import event_types
from ccr_events.envelope import STRUCTURED
from services.cli.main import run
from services.cli.schema_words import example_of
from services.engine.kafka.batches import read_limits
from services.engine.kafka.broker import Cluster, broker, kill_node, password_file, security_of, standing, start
from services.engine.kafka.broker.layout import read
from services.engine.kafka.broker.ports import free_ports
from services.engine.kafka.security import Security, aiokafka_settings, librdkafka_settings
from services.engine.kafka.security.acls import GROUPS, Acl, wanted_acls
from services.engine.kafka.security.acls_applied import apply_acls
from services.engine.kafka.security.acls_on import give, take
from services.engine.kafka.security.authority import kept_authority
from services.engine.kafka.security.principals import USERS
from services.engine.kafka.topics import Layout, Size, apply, catalogue, cluster_admin, plan, require_topics
from services.engine.kafka.topics.layout import read_layout, write_layout
from services.engine.kafka.topics.standing import KafkaUnreachable
from services.engine.ports import AuthenticatedKey, Receipt
from services.intake.arrivals import Arrivals
from services.intake.inbound import InboundTopics, agencies_topics
from services.intake.inbound import consumer as inbound_consumer

pytestmark = pytest.mark.kafka
in_session = pytest.mark.asyncio(loop_scope="session")
ADAPTERS = Path(__file__).parents[5] / "docs" / "adapters.md"
SIZE = Size(partitions=2, copies=3)
OWN, OTHERS, EVENTS = "ccr.inbound.le", "ccr.inbound.jail", "ccr.events"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(kafka_program: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Three brokers with every topic, every ACL and a layout."""
    directory = tmp_path_factory.mktemp("secure")
    async with broker(directory, brokers=3, heap_mb=256, secure=True) as bootstrap:
        found = read(directory)
        assert found is not None
        operator = security_of(found, "operator")
        async with cluster_admin(bootstrap, security_of(found)) as admin:
            assert await apply_acls(admin, wanted_acls(SIZE)) == ()
        async with cluster_admin(bootstrap, operator) as admin:
            wanted = catalogue(SIZE)
            assert await apply(admin, wanted, await plan(bootstrap, wanted, operator)) == ()
        await write_layout(bootstrap, Layout(1, SIZE.partitions), operator)
        yield found


def as_user(cluster: Cluster, user: str) -> Security:
    security = security_of(cluster, user)
    assert security is not None
    return security


async def write(cluster: Cluster, user: str, topic: str, value: bytes = b"a fact") -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap,
        acks="all",
        enable_idempotence=True,
        **aiokafka_settings(as_user(cluster, user)),
    )
    try:
        await producer.start()
        await producer.send_and_wait(topic, value, key=b"a case", partition=0)
    finally:
        await producer.stop()


async def read_one(cluster: Cluster, user: str, topic: str, group: str | None = None) -> bytes:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **aiokafka_settings(as_user(cluster, user)),
    )
    async with consumer:
        if group is None:
            consumer.assign([TopicPartition(topic, 0)])
        else:
            consumer.subscribe([topic])
        found = await asyncio.wait_for(consumer.getone(), 30)
        if group is not None:
            await consumer.commit()
    return found.value


async def answers_to_a_reader(cluster: Cluster, user: str, topic: str) -> set[str]:
    """What every broker says when it is asked for records, past all that a client library would hold back."""
    said = set()
    async with cluster_admin(cluster.bootstrap, as_user(cluster, user)) as admin:
        for node in cluster.nodes:
            request = FetchRequest(500, 1, 1_000_000, 0, [(topic, [(0, 0, 1_000_000)])])
            answer = await admin._send_request_to_node(node.id, request)
            for _, partitions in answer.topics:
                for _, error, *_, records in partitions:
                    assert not (error and records)
                    said.add(for_code(error).__name__)
    return said


@contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """Kafka said no, and did not just fail to answer."""
    with pytest.raises(kinds):
        yield


@in_session
class TestAnAgencysAdapter:
    async def test_writes_its_own_inbound_topic(self, cluster: Cluster) -> None:
        await write(cluster, "agency-le", OWN)
        assert await read_one(cluster, "intake", OWN, GROUPS["intake"]) == b"a fact"

    async def test_the_document_s_program_writes(
        self, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _, program = re.findall(r"^```python\n(.*?)^```", ADAPTERS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        assert program.count("kafka.county.example:9093") == 1
        monkeypatch.chdir(tmp_path)
        for name in ("ca.pem", "agency-jail.password"):
            (tmp_path / name).write_bytes((cluster.secrets / name).read_bytes())
        event = orjson.dumps(example_of(event_types()["jail.booked"], datetime.now(UTC)))
        (tmp_path / "booked.json").write_bytes(event)
        code = compile(program.replace("kafka.county.example:9093", cluster.bootstrap), "docs/adapters.md", "exec")
        await asyncio.to_thread(exec, code, {})
        assert await read_one(cluster, "intake", OTHERS, GROUPS["intake"]) == event
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("topic", [OTHERS, EVENTS, "ccr.links", "ccr.layout", "ccr.quarantine"])
    async def test_writes_no_other_topic(self, cluster: Cluster, topic: str) -> None:
        with refused(TopicAuthorizationFailedError):
            await write(cluster, "agency-le", topic)

    @pytest.mark.parametrize("topic", [OWN, OTHERS, EVENTS, "ccr.case-views", "__consumer_offsets"])
    async def test_reads_nothing_not_even_what_it_wrote(self, cluster: Cluster, topic: str) -> None:
        assert await answers_to_a_reader(cluster, "agency-le", topic) == {"TopicAuthorizationFailedError"}

    async def test_joins_no_group(self, cluster: Cluster) -> None:
        for group in (GROUPS["intake"], "of-its-own"):
            with refused(GroupAuthorizationFailedError):
                await read_one(cluster, "agency-le", OWN, group)

    async def test_sees_its_own_topic_alone_and_makes_none(self, cluster: Cluster) -> None:
        async with cluster_admin(cluster.bootstrap, as_user(cluster, "agency-le")) as admin:
            assert await admin.list_topics() == [OWN]
            made = await admin.create_topics([NewTopic("ccr.inbound.le2", 1, 3)])
            assert [for_code(error) for _, error, *_ in made.topic_errors] == [TopicAuthorizationFailedError]
            deleted = await admin.delete_topics([OWN])
            assert [for_code(error) for _, error in deleted.topic_error_codes] == [TopicAuthorizationFailedError]
            with refused(ClusterAuthorizationFailedError):
                await give(admin, [Acl("agency-le", "topic", EVENTS, "read")])

    async def test_with_librdkafka_too(self, cluster: Cluster) -> None:
        settings = librdkafka_settings(as_user(cluster, "agency-le"))
        producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", **settings})
        failed: dict[str, str | None] = {}
        for topic in (OWN, OTHERS):
            producer.produce(
                topic, b"a fact", on_delivery=lambda error, _, t=topic: failed.update({t: error and error.name()})
            )
        assert await asyncio.to_thread(producer.flush, 30) == 0
        assert failed == {OWN: None, OTHERS: "TOPIC_AUTHORIZATION_FAILED"}


@in_session
class TestWhoIsNotLetIn:
    async def test_a_wrong_password(self, cluster: Cluster) -> None:
        wrong = replace(as_user(cluster, "agency-le"), password="obviously-wrong")
        with pytest.raises(KafkaUnreachable, match="agency-le's password") as told:
            async with cluster_admin(cluster.bootstrap, wrong):
                pass
        assert "obviously-wrong" not in str(told.value)

    async def test_a_user_that_nobody_made(self, cluster: Cluster) -> None:
        with refused(KafkaUnreachable):
            async with cluster_admin(cluster.bootstrap, replace(as_user(cluster, "admin"), user="node")):
                pass

    async def test_who_speaks_plain_text(self, cluster: Cluster) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
        try:
            with refused(KafkaConnectionError):
                await producer.start()
        finally:
            await producer.stop()

    async def test_a_client_believes_no_other_authority(self, cluster: Cluster, tmp_path: Path) -> None:
        kept_authority(tmp_path, datetime.now(UTC))
        stranger = replace(as_user(cluster, "admin"), ca_file=tmp_path / "ca.pem")
        with refused(KafkaUnreachable):
            async with cluster_admin(cluster.bootstrap, stranger):
                pass

    async def test_who_pretends_to_be_a_node_without_its_certificate(self, cluster: Cluster) -> None:
        for port in (cluster.nodes[0].peer_port, cluster.nodes[0].controller_port):
            with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
                await self.hear(port, as_user(cluster, "admin").tls())

    async def hear(self, port: int, context: ssl.SSLContext) -> bytes:
        """What a node says to whoever connects; with TLS 1.3 the client learns only then that it was refused."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            return await reader.read(1)
        finally:
            writer.transport.abort()


@in_session
class TestServicesDoWhatTheyNeed:
    async def test_an_event_goes_all_the_way(self, cluster: Cluster) -> None:
        await write(cluster, "intake", EVENTS)
        assert await read_one(cluster, "casebook", EVENTS, GROUPS["casebook"]) == b"a fact"
        for topic in (EVENTS, "ccr.links", "ccr.case-views", "ccr.quarantine"):
            await write(cluster, "casebook", topic)
        assert await read_one(cluster, "casebook", "ccr.case-views") == b"a fact"
        for topic in (EVENTS, "ccr.links"):
            assert await read_one(cluster, "monitor", topic, GROUPS["monitor"]) == b"a fact"

    @pytest.mark.parametrize("user", ["intake", "casebook", "monitor", "portal"])
    async def test_each_sees_whether_its_topics_are_as_they_have_to_be(self, cluster: Cluster, user: str) -> None:
        security = as_user(cluster, user)
        used = {acl.name for acl in wanted_acls(SIZE) if acl.principal == user and acl.resource == "topic"}
        await require_topics(cluster.bootstrap, catalogue(SIZE), used, security)
        assert await read_layout(cluster.bootstrap, security) == Layout(1, SIZE.partitions)
        assert set(await read_limits(cluster.bootstrap, used, security)) == used

    async def test_none_does_anothers_work(self, cluster: Cluster) -> None:
        for user, topic in (("intake", "ccr.links"), ("monitor", EVENTS), ("operator", EVENTS)):
            with refused(TopicAuthorizationFailedError):
                await write(cluster, user, topic)
        with refused(ClusterAuthorizationFailedError):  # already where an idempotent producer begins
            await write(cluster, "console", EVENTS)
        for user in ("intake", "portal", "operator", "console"):
            assert await answers_to_a_reader(cluster, user, EVENTS) == {"TopicAuthorizationFailedError"}
        assert "NoError" in await answers_to_a_reader(cluster, "monitor", EVENTS), "who may read is not refused"
        with refused(GroupAuthorizationFailedError):
            await read_one(cluster, "monitor", EVENTS, GROUPS["casebook"])

    async def test_the_operator_gives_itself_nothing(self, cluster: Cluster) -> None:
        async with cluster_admin(cluster.bootstrap, as_user(cluster, "operator")) as admin:
            with refused(ClusterAuthorizationFailedError):
                await give(admin, [Acl("operator", "topic", EVENTS, "read")])


class Noted(Arrivals):
    """What arrives is noted, by agency, and nothing is done with it."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    async def taken_in(self, found: Sequence[object], caller: AuthenticatedKey, *, alerting: bool) -> list[Receipt]:
        self.of[caller.agency] = self.of.get(caller.agency, 0) + len(found)
        return [Receipt("", "accepted") for _ in found]


@in_session
@pytest.mark.parametrize("seen", [True, False], ids=["it is still shown", "it is not even shown"])
async def test_a_topic_that_intake_may_not_read_holds_up_no_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, *, seen: bool
) -> None:
    monkeypatch.setattr(inbound_consumer, "TOPICS_SEEN_MS", 1_000)
    operations = {"read"} if seen else {"read", "describe", "describe_configs"}
    rights = [acl for acl in wanted_acls(SIZE) if (acl.principal, acl.name) == ("intake", OTHERS)]
    lost = [acl for acl in rights if acl.operation in operations]
    sources = {topic: source for topic, source in agencies_topics().items() if topic in (OWN, OTHERS)}
    arrivals, stopping = Noted(), asyncio.Event()
    topics = InboundTopics(cluster.bootstrap, arrivals, sources, security=as_user(cluster, "intake"))
    async with cluster_admin(cluster.bootstrap, as_user(cluster, "admin")) as admin, asyncio.timeout(120):
        await take(admin, lost)
        running = asyncio.create_task(topics.run(stopping))
        try:
            for agency, topic in (("le", OWN), ("jail", OTHERS)):
                await write(cluster, f"agency-{agency}", topic)
            while await topics.reason() is None or not arrivals.of.get("le"):
                await asyncio.sleep(0.1)
            assert await topics.reason() == "jail: this service may not read it: see ccr kafka acls plan, and apply"
            assert "jail" not in arrivals.of
            await give(admin, lost)
            while await topics.reason() is not None or not arrivals.of.get("jail"):
                await asyncio.sleep(0.1)
        finally:
            stopping.set()
            await running
            await give(admin, lost)


@contextmanager
def worker(cluster: Cluster, name: str, home: Path, *options: str) -> Iterator[str]:
    """A real worker as its own user; yields the address of its pages."""
    (port,) = free_ports(1)
    environ = {
        **os.environ,
        "CCR_KAFKA": cluster.bootstrap,
        "CCR_KAFKA_CA_FILE": str(cluster.secrets / "ca.pem"),
        "CCR_KAFKA_USER": name,
        "CCR_KAFKA_PASSWORD_FILE": str(password_file(cluster, name)),
    }
    given = [each.format(port=port, home=home) for each in options]
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "worker", name, *given]
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, cwd=Path(__file__).parents[5])
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                pytest.fail(f"the {name} worker did not stop: {(home / f'{name}.log').read_text()[-2000:]}")


async def figure(url: str, name: str) -> float:
    """The sum of a worker's samples that begin so; 0 while it does not answer."""
    try:
        async with httpx.AsyncClient() as client:
            told = (await client.get(f"{url}/metrics")).text
    except httpx.TransportError:
        return 0.0
    return sum(float(line.split()[-1]) for line in told.splitlines() if line.startswith(name) and " " in line)


@in_session
class TestTheWorkers:
    async def test_from_an_adapters_topic_to_an_advocate_and_back(
        self, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Real processes, each with no more rights than its own."""
        store = ("--store", "sqlite:///{home}/store.db")
        sealing = (*store, "--keys", "sqlite:///{home}/keys.db", "--master-key", "{home}/key", "--port", "{port}")
        web = ("--web-port", "{port}")
        async with AsyncExitStack() as running, asyncio.timeout(240):
            intake = running.enter_context(worker(cluster, "intake", tmp_path, *sealing))
            portal = running.enter_context(worker(cluster, "portal", tmp_path, *sealing))
            await up(intake, portal)  # the keys are there before the store is filled with what others left
            running.enter_context(worker(cluster, "casebook", tmp_path, "--data", "{home}/casebook", *web))
            running.enter_context(worker(cluster, "monitor", tmp_path, "--data", "{home}/monitor", *store, *web))
            alerts = running.enter_context(worker(cluster, "alerts", tmp_path, *store, "--port", "{port}"))
            await up(alerts)
            await write(cluster, "agency-le", OWN, orjson.dumps(arrest()))
            while not await figure(intake, "ccr_events_total"):
                await asyncio.sleep(0.2)
            key = {a: await asyncio.to_thread(issued, a, tmp_path, capsys) for a in ("le", "adv")}
            async with httpx.AsyncClient(timeout=240) as http:
                as_police = {"authorization": f"Bearer {key['le']}", "content-type": STRUCTURED}
                answer = await http.post(f"{portal}/v1/events", json=arrest(), headers=as_police)
                assert answer.status_code == 202, answer.text
                as_advocate = {"authorization": f"Bearer {key['adv']}", "last-event-id": "0"}
                async with http.stream("GET", f"{alerts}/v1/alerts", headers=as_advocate) as alerted:
                    async for line in alerted.aiter_lines():
                        if line.startswith("data:") and answer.json()["case_id"] in line:
                            break
                    # That she was told came back by a topic of its own, and was taken in.
                    while not await figure(intake, 'ccr_events_total{agency="ccr",type="link.notified"}'):
                        await asyncio.sleep(0.2)
        for log in tmp_path.glob("*.log"):
            assert "Traceback" not in log.read_text(), log.name


async def up(*urls: str) -> None:
    for url in urls:
        while not await figure(url, "ccr_build_info"):
            await asyncio.sleep(0.2)


def arrest() -> dict[str, object]:
    found = example_of(event_types()["arrest.made"], datetime.now(UTC))
    return {**found, "id": str(uuid4())}


def issued(agency: str, home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["keys", "issue", "--agency", agency, "--store", f"sqlite:///{home}/store.db", "--json"]) == 0
    return str(orjson.loads(capsys.readouterr().out)["key"])


class TestTheCluster:
    def test_keys_and_passwords_are_for_their_owner_only_and_nowhere_else(self, cluster: Cluster) -> None:
        assert stat.S_IMODE(cluster.secrets.stat().st_mode) == 0o700
        open_to_all = [path.name for path in cluster.secrets.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
        assert open_to_all == ["ca.pem"]
        passwords = [as_user(cluster, user).password.encode() for user in USERS]
        assert len(set(passwords)) == len(USERS)
        elsewhere = [
            path
            for path in cluster.directory.rglob("*")
            if path.suffix in (".properties", ".log", ".json", ".checkpoint") and cluster.secrets not in path.parents
        ]
        assert len(elsewhere) > 10
        for path in elsewhere:
            content = path.read_bytes()
            assert not any(password in content for password in passwords), path

    @in_session
    async def test_a_node_that_died_comes_back_and_catches_up(self, cluster: Cluster) -> None:
        await kill_node(cluster.directory, 2)
        await write(cluster, "intake", EVENTS)
        again = await start(cluster.directory, brokers=3, heap_mb=256)
        assert again.secure
        assert again.bootstrap == cluster.bootstrap
        assert all(node.answers for node in await standing(cluster.directory))


class TestTheCommand:
    """Called as a person calls it, on the same cluster."""

    def call(self, cluster: Cluster, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
        status = run(["kafka", *arguments, "--data", str(cluster.directory)])
        told = capsys.readouterr()
        return status, told.out, told.err

    def test_all_is_as_it_has_to_be(self, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.call(cluster, capsys, "acls", "check", "--user", "operator")[0] == 0
        assert self.call(cluster, capsys, "topics", "check", "--user", "operator")[0] == 0

    def test_an_acl_given_by_hand_is_shown_kept_and_taken_only_when_asked(
        self, cluster: Cluster, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def by_hand() -> None:
            async with cluster_admin(cluster.bootstrap, as_user(cluster, "admin")) as admin:
                await give(admin, [Acl("agency-le", "topic", "ccr.", "read", prefixed=True)])

        asyncio.run(by_hand())
        shown = 0
        while not shown:  # the brokers show it a moment later
            shown, out, _ = self.call(cluster, capsys, "acls", "check")
        assert "extra" in out
        assert "ccr.…" in out
        assert self.call(cluster, capsys, "acls", "apply")[0] == 1
        status, out, _ = self.call(cluster, capsys, "acls", "plan", "--json")
        assert status == 0
        assert [(d["what"], d["principal"]) for d in orjson.loads(out)["differences"]] == [("extra", "agency-le")]
        status, out, _ = self.call(cluster, capsys, "acls", "apply", "--remove-extra", "--json")
        assert (status, orjson.loads(out)) == (0, {"differences": [], "applied": 1})
        assert self.call(cluster, capsys, "acls", "check")[0] == 0

    def test_who_may_not_look_is_refused_and_shown_no_list(
        self, cluster: Cluster, capsys: pytest.CaptureFixture[str]
    ) -> None:
        status, out, err = self.call(cluster, capsys, "acls", "check", "--user", "intake")
        assert (status, out) == (1, "")
        assert "ClusterAuthorizationFailedError" in err

    def test_by_address_with_a_password_file(self, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        given = ["--ca-file", str(cluster.secrets / "ca.pem"), "--user", "operator"]
        given += ["--password-file", str(cluster.secrets / "operator.password")]
        assert run(["kafka", "topics", "check", "--bootstrap", cluster.bootstrap, *given]) == 0
        assert run(["kafka", "topics", "check", "--bootstrap", cluster.bootstrap, *given[:2]]) == 1
        assert "also needs the user" in capsys.readouterr().err

    def test_a_stolen_password_is_made_useless(
        self, cluster: Cluster, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        stolen = tmp_path / "stolen"
        stolen.write_bytes(password_file(cluster, "operator").read_bytes())
        status, out, err = self.call(cluster, capsys, "users", "renew", "operator")
        assert (status, out.strip()) == (0, as_user(cluster, "operator").password)
        assert out.strip() not in err
        assert f"also in {password_file(cluster, 'operator')}" in err
        assert stat.S_IMODE(password_file(cluster, "operator").stat().st_mode) == 0o600
        given = ["--ca-file", str(cluster.secrets / "ca.pem"), "--user", "operator", "--password-file", str(stolen)]
        let_in = 0
        while not let_in:  # brokers learn of it a moment later
            let_in = run(["kafka", "topics", "check", "--bootstrap", cluster.bootstrap, *given])
        assert "operator's password" in capsys.readouterr().err
        assert self.call(cluster, capsys, "topics", "check", "--user", "operator")[0] == 0

    def test_nobody_but_admin_gives_passwords(self, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        before = as_user(cluster, "intake").password
        for user in ("operator", "intake"):
            status, out, err = self.call(cluster, capsys, "users", "renew", "intake", "--user", user)
            assert (status, out) == (1, "")
            assert "ClusterAuthorizationFailedError" in err
        assert as_user(cluster, "intake").password == before
        assert "has no user nobody" in self.call(cluster, capsys, "users", "renew", "nobody")[2]

    def test_a_user_that_there_is_not(self, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        status, _, err = self.call(cluster, capsys, "topics", "check", "--user", "nobody")
        assert status == 1
        assert "has no user nobody" in err

    def test_who_may_read_no_event_gives_no_more_partitions_and_closes_nothing(
        self, cluster: Cluster, capsys: pytest.CaptureFixture[str]
    ) -> None:
        given = ("topics", "repartition", "--partitions", "3", "--user", "operator")
        status, _, err = self.call(cluster, capsys, *given)
        assert status == 1
        assert "operator may not read what is to be copied: run it as admin, then ccr kafka acls apply" in err
        assert self.call(cluster, capsys, "topics", "check", "--user", "operator")[0] == 0
