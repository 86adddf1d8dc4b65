"""Bytes from outside to a document whose elements can be found: hardened, bounded, namespaces brought to one form.

No document type definition, no entity, nothing fetched: a document that carries a DTD is refused, since no exchange
of either family has one and every entity attack needs one (CWE-611, CWE-776).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from lxml import etree

from services.adapters.niem.errors import DocumentError
from services.adapters.niem.namespaces import prefix_of

MAX_DOCUMENT_BYTES = 8_000_000
"""Largest document; mug shots and attached reports are inside."""
MAX_DEPTH = 64
"""Deepest nesting of elements; the deepest published exchange has 19."""
MAX_ELEMENTS = 100_000
MAX_TEXT = 50_000
"""Longest text of one element that is mapped, in characters; what is longer is cut, the source holds it all."""

Element = etree._Element

_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(rb"<[A-Za-z_\x80-\xff]")
_NIL = "{xsi}nil"


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed document. Elements are named `{prefix}LocalName` with the prefixes of `namespaces`."""

    root: Element = field(repr=False)
    digest: str
    """SHA-256 over names, attributes and text: the same for other prefixes, comments and indentation."""
    _by_id: dict[str, Element] = field(repr=False)
    _referring: dict[str, list[Element]] = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the root element, such as `nola:ArrestExchange`."""
        return name_of(self.root)

    def resolved(self, element: Element) -> Element:
        """What the element refers to, or the element itself."""
        target = self._by_id.get(_reference(element))
        return element if target is None else target

    def children(self, element: Element) -> Iterator[Element]:
        """The element's children, and those of the element it refers to."""
        yield from element.iterchildren()
        target = self.resolved(element)
        if target is not element:
            yield from target.iterchildren()

    def operation_of(self, element: Element) -> Element | None:
        """The message operation code (add, update, delete) attached to an element by `ref` or `metadata`."""
        for key in (_reference(element), element.get("{s}metadata", "")):
            target = self._by_id.get(key)
            if target is not None and target.tag == "{nola-ext}MessageOperationCode":
                return target
        return None

    def referring(self, element: Element) -> list[Element]:
        """Elements that refer to this one (or to what this one refers to)."""
        key = _reference(element) or element.get("{s}id", "")
        return self._referring.get(key, []) if key else []

    def refers_to(self, element: Element, target: Element) -> bool:
        """Whether `element` is a reference to `target` or to the same thing as `target`."""
        return self.resolved(element) is self.resolved(target)


def parse(raw: bytes) -> Document:
    """The document; raises `DocumentError` when it is not XML, has a DTD, or exceeds a bound."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise DocumentError(f"is larger than {MAX_DOCUMENT_BYTES:,} bytes; send it without its attachments")
    _refuse_doctype(raw)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    problem, root = None, None
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        problem = DocumentError(f"is not well-formed XML (line {error.lineno or 1}); it may have been cut off")
    except (ValueError, LookupError):  # an encoding nobody knows
        problem = DocumentError("is not XML in an encoding that can be read; send UTF-8")
    if problem is not None or root is None:  # raised here, so that lxml's message does not come along as its context
        raise problem or DocumentError("is empty")
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # the stubs think a tree may have none
        raise DocumentError("has a document type definition, which is refused; send it without <!DOCTYPE …>")
    return _indexed(root)


def name_of(element: Element) -> str:
    """`prefix:LocalName` of an element of a `Document`."""
    name = etree.QName(element)
    return f"{name.namespace}:{name.localname}" if name.namespace else name.localname


def text_of(element: Element) -> str:
    """Text of a leaf, whitespace collapsed; empty for an element with children and for a nil one."""
    if len(element) or element.get(_NIL, "").strip() in ("true", "1"):
        return ""
    return " ".join((element.text or "").split())[:MAX_TEXT]


def _refuse_doctype(raw: bytes) -> None:
    """Refuse before parsing what is seen to have a DTD, in one-byte and two-byte encodings alike."""
    plain = raw.replace(b"\0", b"")
    first = _FIRST_ELEMENT.search(plain)
    if _DOCTYPE.search(plain[: first.start() if first else len(plain)]):
        raise DocumentError("has a document type definition, which is refused; send it without <!DOCTYPE …>")


def _indexed(root: Element) -> Document:
    by_id: dict[str, Element] = {}
    referring: dict[str, list[Element]] = {}
    digest = sha256()
    depth = count = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            digest.update(b"\x1e")
            continue
        depth += 1
        count += 1
        if depth > MAX_DEPTH:
            raise DocumentError(f"nests deeper than {MAX_DEPTH} elements")
        if count > MAX_ELEMENTS:
            raise DocumentError(f"has more than {MAX_ELEMENTS:,} elements; send it without its attachments")
        if not isinstance(element.tag, str):
            raise DocumentError("holds an entity reference, which is refused; write the text itself")
        _rename(element)
        _note_identity(element, by_id, referring)
        digest.update(_fingerprint(element))
    return Document(root, digest.hexdigest(), by_id, referring)


def _rename(element: Element) -> None:
    name = etree.QName(element)
    prefix = prefix_of(name.namespace or "")
    element.tag = f"{{{prefix}}}{name.localname}" if prefix else name.localname
    for key, value in list(element.attrib.items()):
        if key[0] == "{":
            attribute = etree.QName(key)
            prefix = prefix_of(attribute.namespace or "")
            del element.attrib[key]
            if prefix:
                element.set(f"{{{prefix}}}{attribute.localname}", value)


def _note_identity(element: Element, by_id: dict[str, Element], referring: dict[str, list[Element]]) -> None:
    identity, reference = element.get("{s}id"), _reference(element)
    if identity:
        if identity in by_id:
            raise DocumentError("gives the same structures:id to two elements; associations cannot be followed")
        by_id[identity] = element
    if reference:
        referring.setdefault(reference, []).append(element)


def _reference(element: Element) -> str:
    """The id an element refers to: NIEM's `structures:ref` or `structures:uri="#…"`, LEXS's `lexslib:ref`."""
    found = element.get("{s}ref") or element.get("{lexslib}ref")
    if found:
        return found
    uri = element.get("{s}uri", "")
    return uri[1:] if uri.startswith("#") else ""


def _fingerprint(element: Element) -> bytes:
    attributes = sorted((k, v) for k, v in element.attrib.items() if k != "{xsi}schemaLocation")
    parts = [name_of(element), *(f"{k!s}={v!s}" for k, v in attributes), " ".join((element.text or "").split())]
    return ("\x1f".join(parts) + "\x1d").encode("utf-8", "surrogatepass")
