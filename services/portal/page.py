"""The live page at `/`: what is owed now, as it changes. It holds no data: the browser asks for it with an API key.

The key comes after `#` in the address, which browsers do not send, or from a form; the page keeps it for the tab's
session and takes it out of the address bar. Everything is served from here: no other site learns of a visit.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType

from jinja2 import Environment, StrictUndefined
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from ccr_events.agencies import Agency
from services.portal.problems import not_found

AGENCY_NAMES = MappingProxyType(
    {
        Agency.PSAP: "911 and dispatch",
        Agency.LE: "Law enforcement",
        Agency.JAIL: "Jail",
        Agency.PROS: "Prosecution",
        Agency.CRIM: "Criminal court",
        Agency.CIV: "Civil court",
        Agency.PROB: "Probation",
        Agency.BIP: "Men's program",
        Agency.ADV: "Advocacy",
        Agency.CPS: "Child protection",
        Agency.VISIT: "Visitation",
        Agency.REG: "State registry",
        Agency.CCR: "Tracking entity",
    }
)
"""What people call them."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}
_ASSETS = {"live.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}


def page_routes() -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/")
    async def show_page() -> Response[str]:
        """The live page."""
        return Response(_page(), media_type="text/html", headers=_HEADERS)

    @get("/live/{name:str}", include_in_schema=False)
    async def show_asset(name: str) -> Response[bytes]:
        """A part of the page."""
        if name not in _ASSETS:
            raise not_found("file")
        return Response(_asset(name), media_type=_ASSETS[name], headers=_HEADERS)

    return [show_page, show_asset]


@cache
def _page() -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_asset("live.html").decode())
    return template.render(agencies=[(agency.value, name) for agency, name in AGENCY_NAMES.items()])


@cache
def _asset(name: str) -> bytes:
    return (files("services.portal") / "live" / name).read_bytes()
