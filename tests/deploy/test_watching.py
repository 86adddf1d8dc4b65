"""What Prometheus and Grafana ask for is what the code counts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import orjson
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.engine.clock import WallClock
from services.engine.kafka.apps import PartitionStanding, WorkerStanding, serve_pages
from services.engine.ports import Figures, LinkCount
from services.intake.inbound import Standing
from services.monitor.delivery_metrics import receipts_refused
from services.monitor.inbound_metrics import InboundFigures
from services.monitor.metrics import Metrics
from services.monitor.policy_metrics import policies_missing
from services.monitor.projection.figures import ProjectionFigures, Totals, read_model_waits
from services.monitor.projection.figures import Standing as ProjectionStanding
from services.monitor.sending_metrics import SendingFigures
from tests.deploy.composed import ROOT, ours, yaml_of

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "backbone.json"
OF_PROMETHEUS = {"up", "process_resident_memory_bytes"}
"""Metrics that every scraped process has."""
_NAME = re.compile(r"\b(ccr_[a-z_]+|ccr:[a-z_]+|up|process_[a-z_]+)\b(?!=)")


class Stored:
    """Figures of a store that holds something of everything."""

    async def figures(self) -> Figures:
        return Figures(1, 1, 1, WallClock().now(), 1, (LinkCount("rule", "le", 1, 1, 1),))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def counted() -> set[str]:
    """Names of every sample that workers show."""
    metrics = Metrics(Stored(), WallClock())
    metrics.add(InboundFigures(lambda: {"le": Standing(0)}))
    metrics.accepted("arrest.made", "le")
    metrics.refused("le", "conflict")
    metrics.sealed_read("pii", "le", "granted")
    metrics.add(SendingFigures(lambda: None, lambda: 0.0))
    metrics.add(receipts_refused(lambda: None))
    metrics.add(policies_missing(lambda: None))
    projecting = CollectorRegistry()
    brought = ProjectionStanding("ccr.links", 0, 5, 5, 0.0, 5)
    projecting.register(ProjectionFigures(lambda: [brought], lambda: Totals(1, 0, 0)))
    projecting.register(read_model_waits(lambda: None))
    folding = CollectorRegistry()
    serve_pages(Mock(), lambda: WorkerStanding("casebook", [PartitionStanding(0, True, 5, 5, 5)]), folding)
    told = [(await metrics.exposition())[0], generate_latest(projecting), generate_latest(folding)]
    return {name for each in told for name in _samples(each.decode())}


def _samples(text: str) -> Iterator[str]:
    for family in text_string_to_metric_families(text):
        yield from (sample.name for sample in family.samples)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml_of(RULES)["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(DASHBOARD.read_bytes())["panels"]
    return found


def named_in(expression: str) -> set[str]:
    return set(_NAME.findall(expression))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_metric_of_a_rule_is_counted(rule: dict[str, Any], counted: set[str]) -> None:
    recorded = {each["record"] for each in rules() if "record" in each}
    assert named_in(rule["expr"])
    assert named_in(rule["expr"]) <= counted | recorded | OF_PROMETHEUS
    if "alert" in rule:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "what_to_do"}


@pytest.mark.parametrize("panel", [each for each in panels() if "targets" in each], ids=lambda panel: panel["title"])
def test_every_metric_of_the_dashboard_is_counted(panel: dict[str, Any], counted: set[str]) -> None:
    recorded = {each["record"] for each in rules() if "record" in each}
    for target in panel["targets"]:
        assert named_in(target["expr"])
        assert named_in(target["expr"]) <= counted | recorded | OF_PROMETHEUS
    assert panel["description"]


def test_a_metric_that_there_is_not_would_be_noticed(counted: set[str]) -> None:
    assert not named_in("rate(ccr_no_such_total[5m])") <= counted
    assert "ccr_casebook_events_total" in counted
    assert "ccr_alert_seconds_bucket" in counted


def test_what_must_be_heard_of_is() -> None:
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert alerts >= {
        "WorkerDown",
        "CasebookBehind",
        "DeadlinesBehind",
        "QuarantineGrows",
        "NoAlertsDelivered",
        "NobodyListens",
    }


def test_every_service_of_ours_that_runs_on_is_missed_when_it_is_gone() -> None:
    running = {name for name, service in ours().items() if service["restart"] == "unless-stopped"}
    expressions = {rule["alert"]: rule["expr"] for rule in rules() if "alert" in rule}
    for name in running:
        assert f'absent(up{{job="{name}"}})' in expressions["ServiceGone"]
    for alert in ("WorkerDown", "ServiceGone"):
        (jobs,) = re.findall(r'job=~"([^"]+)"', expressions[alert])
        assert set(jobs.split("|")) == running


def test_panels_lie_beside_each_other_and_ask_the_provisioned_source() -> None:
    source = yaml_of(ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    places = set()
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places, panel["title"]
        places |= cells
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == source["uid"]


def promtool() -> str:
    """Prometheus's own checker; a failure in CI where there is none."""
    found = shutil.which("promtool")
    if found is None:
        hint = "promtool is not installed here: apt-get install prometheus"
        if os.environ.get("CI"):
            pytest.fail(hint)
        pytest.skip(hint)
    return found


def test_prometheus_takes_its_rules_and_its_configuration() -> None:
    told = subprocess.run([promtool(), "check", "rules", RULES], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    told = subprocess.run(
        [promtool(), "check", "config", "prometheus.yml"], capture_output=True, text=True, cwd=RULES.parent
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_alerts_fire_when_they_have_to_and_only_then() -> None:
    told = subprocess.run(
        [promtool(), "test", "rules", Path(__file__).with_name("rules_test.yml")], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
