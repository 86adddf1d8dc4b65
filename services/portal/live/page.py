"""The live page and its parts, served from this package. The page itself holds nothing of any case.

Whoever opens it needs an API key: the page's script takes it from the address's fragment, which no browser sends,
and reads links and alerts with it as any other client.

Source: Content Security Policy Level 3 (W3C); Referrer Policy (W3C); HTTP semantics, RFC 9110 section 13 (ETag).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from ccr_events.agencies import AGENCY_NAMES
from services.portal.backbone import Backbone
from services.portal.problems import not_found

PACKAGE = "services.portal.live"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""Endings of the files that are served."""
URGENCIES = {
    "immediate": "immediate",
    "same_shift": "same shift",
    "same_day": "same day",
    "routine": "routine",
}
"""Urgency → words, the most urgent first."""
SECURITY = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of the page and of its parts: nothing is loaded from, sent to or shown inside another site."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the page."""

    body: bytes
    media_type: str
    etag: str


def live_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes. None needs a key."""
    page, parts = _page(backbone), _parts()

    @get("/")
    async def show_page() -> Response[bytes]:
        """The live page."""
        return Response(page, media_type="text/html", headers=SECURITY | {"cache-control": "no-cache"})

    @get("/live/{name:str}", include_in_schema=False)
    async def show_page_part(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        """A script, the style sheet or the icon."""
        part = parts.get(name)
        if part is None:
            raise not_found("part of the live page")
        headers = SECURITY | {"cache-control": "no-cache", "etag": part.etag}
        if request.headers.get("if-none-match") == part.etag:
            return Response(b"", status_code=304, headers=headers)
        return Response(part.body, media_type=part.media_type, headers=headers)

    return [show_page, show_page_part]


def _page(backbone: Backbone) -> bytes:
    template = Environment(
        loader=PackageLoader(PACKAGE, package_path=""), autoescape=True, undefined=StrictUndefined
    ).get_template("live.html")
    return template.render(
        agencies={agency.value: _capital(name) for agency, name in AGENCY_NAMES.items()},
        urgencies={urgency: _capital(words) for urgency, words in URGENCIES.items()},
        **_place(backbone),
    ).encode()


def _parts() -> Mapping[str, Part]:
    """Name → file, of all that may be served; so no name in a request ever reaches the file system."""
    found = {}
    for file in files(PACKAGE).iterdir():
        ending = file.name[file.name.rfind(".") :]
        if ending in MEDIA_TYPES:
            body = file.read_bytes()
            etag = f'"{sha256(body).hexdigest()[:32]}"'
            found[file.name] = Part(body, MEDIA_TYPES[ending], etag)
    return found


def _place(backbone: Backbone) -> dict[str, str]:
    """Whose policies these are, and its time zone; no zone (the reader's own then) where they are of several."""
    jurisdictions = [document.jurisdiction for document in backbone.policies.documents]
    names = list(dict.fromkeys(each.name for each in jurisdictions))
    zones = {each.timezone for each in jurisdictions}
    return {"place": " · ".join(names), "zone": str(zones.pop()) if len(zones) == 1 else ""}


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
