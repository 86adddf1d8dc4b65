"""Whatever is missing, doubled or emptied: events, or a `DocumentError`. Never another exception, never a leak."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.adapters.niem import DocumentError
from tests.support.niem import FIXTURES, fixture, read

TEXTS = st.sampled_from(
    [
        "",
        " ",
        "string",
        "0",
        "-1",
        "true",
        "9" * 80,
        "2026-13-45",
        "2026-02-30",
        "1/1/1",
        "é" * 600,
        "\u202e",
        "T",
        "0001-01-01",
        "9999-12-31T23:59:59-14:00",
        "NaN",
        "1e9",
    ]
)
SETTINGS = settings(max_examples=120, deadline=None)


def outcome(raw: bytes, *, samples: bool = False) -> None:
    """A refusal must say something; events must be there, with numbers."""
    reading, refused = None, None
    try:
        reading = read(raw, samples=samples)
    except DocumentError as error:
        refused = error
    if reading is None:
        assert refused is not None
        assert refused.reason
    else:
        assert reading.events
        assert all(event.data["references"] for event in reading.events)


@SETTINGS
@given(st.sampled_from(FIXTURES), st.data())
def test_random_deletions(name: str, data: st.DataObject) -> None:
    root = etree.fromstring(fixture(name))
    for _ in range(data.draw(st.integers(1, 8))):
        elements = [element for element in root.iter() if element.getparent() is not None]
        if elements:
            victim = data.draw(st.sampled_from(range(len(elements))))
            elements[victim].getparent().remove(elements[victim])
    outcome(etree.tostring(root), samples=data.draw(st.booleans()))


@SETTINGS
@given(st.sampled_from(FIXTURES), st.data())
def test_random_texts(name: str, data: st.DataObject) -> None:
    root = etree.fromstring(fixture(name))
    leaves = [element for element in root.iter("{*}*") if not len(element)]
    for _ in range(data.draw(st.integers(1, 6))):
        leaves[data.draw(st.integers(0, len(leaves) - 1))].text = data.draw(TEXTS)
    outcome(etree.tostring(root))


@SETTINGS
@given(st.sampled_from(FIXTURES), st.data())
def test_random_moves_and_copies(name: str, data: st.DataObject) -> None:
    root = etree.fromstring(fixture(name))
    for _ in range(data.draw(st.integers(1, 4))):
        elements = list(root.iter("{*}*"))
        what = elements[data.draw(st.integers(0, len(elements) - 1))]
        where = elements[data.draw(st.integers(0, len(elements) - 1))]
        where.append(etree.fromstring(etree.tostring(what)))
    outcome(etree.tostring(root))


@SETTINGS
@given(st.binary(max_size=200))
def test_random_bytes(raw: bytes) -> None:
    outcome(raw)
