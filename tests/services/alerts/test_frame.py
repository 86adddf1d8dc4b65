"""One alert on the wire."""

from __future__ import annotations

import orjson
from httpx_sse import ServerSentEvent
from httpx_sse._decoders import SSEDecoder

from ccr_events.core.model import TransitionKind
from services.alerts.frame import HEARTBEAT, alert, comment
from services.engine.ports import Alertable
from tests.support.core_rules import BOOK
from tests.support.fakes import NOW, transition


def read(raw: bytes) -> list[ServerSentEvent]:
    decoder = SSEDecoder()
    events = [event for line in raw.decode().split("\n") if (event := decoder.decode(line)) is not None]
    return [event for event in events if event.data]


def test_alert_is_one_event_with_the_words_of_its_rule() -> None:
    made = alert(
        Alertable(41, transition(3, TransitionKind.ESCALATED, to=("ccr", "coordinator"), step=2), NOW, True), BOOK
    )
    (event,) = read(made.frame + HEARTBEAT + comment("closing"))
    assert (event.id, event.event) == ("41", "link.escalated")
    body = orjson.loads(event.data)
    assert body == orjson.loads(orjson.dumps(made.event))
    assert body["data"]["rule_title"] == "R1"
    assert body["data"]["action"] == "Do what is owed."
    assert (body["toagency"], body["torole"], body["owingagency"]) == ("ccr", "coordinator", "jail")


def test_alert_goes_out_when_its_policy_is_missing() -> None:
    made = alert(Alertable(1, transition(1, rule="L17", edition="gone"), NOW, True), BOOK)
    (event,) = read(made.frame)
    assert orjson.loads(event.data)["data"]["rule_title"] == "L17"
