"""NIEM documents for tests: the project's own fixtures, rewritten in other releases and with other prefixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from lxml import etree

from ccr_events.catalogue import event_type_named
from ccr_events.envelope import Event
from ccr_events.skeleton import split
from ccr_events.validation import validate_as
from services.adapters.niem import Reading, read_document
from services.adapters.niem.document import parse

RECEIVED = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)

FIXTURES = sorted(
    entry.name for entry in files("services.demo").joinpath("documents").iterdir() if entry.name.endswith(".xml")
)

_FIXED = {
    "nola": "http://mcp.com/nola/v/1.0/",
    "nola-ext": "http://mcp.com/nola/extension/v/1.0/",
    "ojbc-ext": "http://ojbc.org/IEPD/Extensions/Some/1.0",
    "lexs": "http://usdoj.gov/leisp/lexs/3.1",
    "digest": "http://usdoj.gov/leisp/lexs/digest/3.1",
    "lexslib": "http://usdoj.gov/leisp/lexs/library/3.1",
    "ndex": "http://fbi.gov/cjis/N-DEx/IncidentArrest/2.1",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}


def _release(core: str, justice: str, structures: str, base: str = "http://release.niem.gov/niem") -> dict[str, str]:
    return {
        "nc": f"{base}/niem-core/{core}/",
        "j": f"{base}/domains/jxdm/{justice}/",
        "hs": f"{base}/domains/humanServices/{core}/",
        "ncic": f"{base}/codes/ncic/{core}/",
        "s": f"{base}/structures/{structures}/",
        **_FIXED,
    }


RELEASES = {
    "2": {
        **_release("2.0", "4.0", "2.0", "http://niem.gov/niem"),
        "nc": "http://niem.gov/niem/niem-core/2.0",
        "j": "http://niem.gov/niem/domains/jxdm/4.0",
        "s": "http://niem.gov/niem/structures/2.0",
    },
    "3": _release("3.0", "5.1", "3.0"),
    "4": _release("4.0", "6.0", "4.0"),
    "5": _release("5.0", "7.2", "5.0"),
    "6": _release("6.0", "8.0", "6.0", "https://docs.oasis-open.org/niemopen/ns/model"),
}
"""Namespace URIs of NIEM's releases, by the prefixes of the tables."""


def fixture(name: str) -> bytes:
    return files("services.demo").joinpath("documents", name).read_bytes()


def read(raw: bytes, **settings: Any) -> Reading:
    return read_document(raw, received_at=RECEIVED, **settings)


def told(events: tuple[Event, ...]) -> list[tuple[str, datetime, dict[str, Any]]]:
    """What events say, without their ids and the source."""
    return [
        (e.type, e.occurred_at, {name: value for name, value in e.data.items() if name != "source_document"})
        for e in events
    ]


def skeletons(events: tuple[Event, ...]) -> list[dict[str, Any]]:
    """The open part of events, and where something is sealed under which label."""
    found = []
    for event in events:
        parts = split(validate_as(event_type_named(event.type), event.schema_version, event.data))
        sealed = {label.value: sorted(values) for label, values in sorted(parts.sealed.items())}
        found.append(
            {"type": event.type, "occurred_at": event.occurred_at.isoformat(), "open": parts.open, "sealed": sealed}
        )
    return found


def rewritten(
    raw: bytes,
    *,
    uris: Mapping[str, str] | None = None,
    prefixes: Callable[[int], str | None] = lambda n: f"p{n}",
    change: Callable[[etree._Element], None] = lambda root: None,
) -> bytes:
    """The document changed by `change` (its elements named `{prefix}Local` as in the tables), in another release of
    NIEM (`uris`) and with other prefixes (`prefixes` of the n-th namespace)."""
    document = parse(raw)
    change(document.root)
    exchange = etree.fromstring(raw).nsmap[etree.fromstring(raw).prefix]
    uris = {**(uris or RELEASES["5"]), "ojbc": exchange}
    nsmap = {prefixes(n): uri for n, uri in enumerate(dict.fromkeys(uris.values()))}

    def named(name: str) -> str:
        prefix, _, local = name.partition("}")
        return f"{{{uris[prefix[1:]]}}}{local}" if local else name

    def copied(element: etree._Element, parent: etree._Element | None) -> etree._Element:
        attributes = {named(str(key)): str(value) for key, value in element.attrib.items()}
        tag = named(str(element.tag))
        copy = etree.Element(tag, nsmap=nsmap) if parent is None else etree.SubElement(parent, tag)
        copy.attrib.update(attributes)
        copy.text = element.text
        for child in element:
            copied(child, copy)
        return copy

    return etree.tostring(copied(document.root, None), xml_declaration=True, encoding="UTF-8")
