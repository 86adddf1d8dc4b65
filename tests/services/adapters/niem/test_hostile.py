"""Documents that attack, break or exceed: refused with a clear error that repeats nothing they hold."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from string import ascii_letters, digits

import pytest

from services.adapters.niem import DocumentError
from services.adapters.niem.document import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_ELEMENTS, parse
from tests.support.niem import FIXTURES, fixture, read

SECRET = "planted-secret-91"


def refusal(raw: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as refused:
        read(raw)
    whole = "".join(traceback.format_exception(refused.value))
    assert SECRET not in whole
    return refused.value


def with_doctype(doctype: bytes, body: bytes = b"&e;") -> bytes:
    raw = fixture("jtmp-booking.xml").replace(b"26-BKG-0131", body)
    return raw.replace(b"<!-- Invented", doctype + b"<!-- Invented", 1)


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        b'<!DOCTYPE x [<!ENTITY e "harmless">]>',
        b"<!DOCTYPE x>",
        b"<!doctype x>",
    ],
)
def test_a_document_type_definition_is_refused(doctype: bytes) -> None:
    assert "document type definition" in str(refusal(with_doctype(doctype, b"1"))) or doctype == b"<!doctype x>"


def test_a_billion_laughs_are_refused_unexpanded() -> None:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    raw = with_doctype(b'<!DOCTYPE x [<!ENTITY l0 "ha">' + entities + b"]>", b"&l9;")
    assert "document type definition" in str(refusal(raw))


def test_a_doctype_in_two_byte_encoding_is_refused() -> None:
    raw = with_doctype(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')
    encoded = raw.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    assert "document type definition" in str(refusal(encoded))


def test_a_doctype_behind_a_comment_that_looks_like_an_element_is_refused() -> None:
    raw = b"<?xml version='1.0'?><!-- <a> --><!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>"
    assert "document type definition" in str(refusal(raw))


def test_an_undeclared_entity_is_refused() -> None:
    assert "well-formed" in str(refusal(fixture("jtmp-booking.xml").replace(b"26-BKG-0131", b"&planted-secret-91;")))


def test_too_deep_too_many_too_large() -> None:
    deep = b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1)
    assert f"deeper than {MAX_DEPTH}" in str(refusal(deep))
    assert "not well-formed" in str(refusal(b"<a>" * 100_000))
    assert f"more than {MAX_ELEMENTS:,} elements" in str(refusal(b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>"))
    assert f"larger than {MAX_DOCUMENT_BYTES:,} bytes" in str(refusal(b" " * (MAX_DOCUMENT_BYTES + 1)))


def test_a_source_too_large_to_be_kept_is_refused() -> None:
    noise = "".join(random.Random(1).choices(ascii_letters + digits, k=1_600_000))
    raw = fixture("jtmp-booking.xml").replace(b"</j:Booking>", f"<Attachment>{noise}</Attachment></j:Booking>".encode())
    assert "too large to be kept with its events" in str(refusal(raw))


@pytest.mark.parametrize(
    "raw", [b"", b"   ", b"{}", b"\x00\x01", b"<a", b"plain text", b"<?xml version='1.0' encoding='x-unheard'?><a/>"]
)
def test_what_is_no_xml_is_refused(raw: bytes) -> None:
    assert "XML" in str(refusal(raw))


@pytest.mark.parametrize("name", FIXTURES)
def test_a_document_cut_off_anywhere_is_refused(name: str) -> None:
    raw = fixture(name).rstrip()
    for share in range(1, 20):
        refusal(raw[: len(raw) * share // 20])


def test_documents_of_other_families_and_types_are_named_as_such() -> None:
    unknown = refusal(b"<Invoice xmlns='http://example.org/planted-secret-91'/>")
    assert str(unknown).startswith("is not a document of a known family; known are JTMP ArrestExchange")
    assert "is a JTMP document of a type that is not mapped" in str(
        refusal(b"<x:Planted xmlns:x='http://mcp.com/nola/v/1.0/'/>")
    )
    assert "is an OJBC document" in str(refusal(b"<x:Y xmlns:x='http://ojbc.org/IEPD/Exchange/Y/1.0'/>"))


def test_two_elements_with_one_id_are_refused() -> None:
    raw = fixture("ojbc-booking.xml").replace(b's:id="Charge1"', b's:id="Person1"')
    assert "same structures:id" in str(refusal(raw))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b's:ref="Person1"', b's:ref="Booking1"'),  # a booking that is its own subject
        lambda raw: raw.replace(b's:id="Person1"', b's:id="Person1" s:ref="Person1"'),  # a person who is himself
        lambda raw: raw.replace(b's:ref="Person1"', b's:ref="planted-secret-91"'),  # nobody
    ],
)
def test_references_in_circles_or_into_nothing_end(change: Callable[[bytes], bytes]) -> None:
    assert read(change(fixture("ojbc-booking.xml"))).events


@pytest.mark.parametrize("name", FIXTURES)
def test_an_error_never_repeats_a_value_of_the_document(name: str) -> None:
    raw = fixture(name)
    for value in (b"2026-02-0", b"26-", b"69-CR", b"Testmaple", b"T"):
        spoiled = raw.replace(b">" + value, b">" + SECRET.encode() + b"!" * 70)
        assert SECRET not in said(spoiled)


def said(raw: bytes) -> str:
    """Everything reading a document says, refused or not."""
    try:
        reading = read(raw)
    except DocumentError as error:
        return "".join(traceback.format_exception(error))
    return "".join((*reading.warnings, repr(reading)))


def test_a_parsed_document_shows_nothing_in_its_repr() -> None:
    assert "Testmaple" not in repr(parse(fixture("jtmp-arrest.xml")))
