"""The live page and its parts over HTTP, and what ships of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from services.embedded import Settings, open_backbone
from services.portal.app import create_app

PACKAGE = files("services.portal.live")
PARTS = sorted(file.name for file in PACKAGE.iterdir() if file.name.endswith((".js", ".css", ".svg")))


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_backbone(Settings(data=tmp_path / "data")) as backbone:
        transport = httpx.ASGITransport(app=create_app(backbone))
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            yield client


async def test_page_is_served_without_a_key_and_loads_nothing_from_elsewhere(http):
    response = await http.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-cache"
    assert not re.search(r"(?:src|href)=\"(?!/|#)|<script(?![^>]* src=)|<style| style=| on\w+=\"", response.text)


async def test_every_part_the_page_names_is_there_and_so_is_every_module_it_imports(http):
    text = (await http.get("/")).text
    named = set(re.findall(r'"/live/([\w.]+)"', text))
    for name in PARTS:
        if name.endswith(".js"):
            named |= set(re.findall(r'from "\./([\w.]+)"', PACKAGE.joinpath(name).read_text()))
    assert named == set(PARTS)


async def test_parts_are_served_as_what_they_are_and_not_again_while_they_are_the_same(http):
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for name in PARTS:
        response = await http.get(f"/live/{name}")
        assert response.content == PACKAGE.joinpath(name).read_bytes()
        assert response.headers["content-type"] == kinds[name.rpartition(".")[2]]
        assert response.headers["x-content-type-options"] == "nosniff"
        again = await http.get(f"/live/{name}", headers={"if-none-match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_nothing_else_of_the_package_is_served(http):
    for name in ("page.py", "live.html", "__init__.py", "..%2Fapp.py", "%2Fetc%2Fpasswd"):
        response = await http.get(f"/live/{name}")
        assert response.status_code == 404
        assert "import" not in response.text


def test_scripts_never_read_text_as_markup():
    for name in PARTS:
        if name.endswith(".js"):
            text = PACKAGE.joinpath(name).read_text()
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), (
                name
            )
