"""The OpenAPI document: valid, complete, in step."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.portal.app import create_app
from services.portal.openapi import FILE, main, openapi_document
from tests.support.portals import Portal


def test_document_is_valid_and_refers_to_files_that_exist() -> None:
    document = openapi_document()
    OpenAPIV31SpecValidator(document, base_uri=FILE.as_uri()).validate()
    references = re.findall(r'"\$ref": ?"([^"#][^"]*)"', FILE.read_text(encoding="utf-8"))
    assert len(references) > 40
    assert [reference for reference in references if not (FILE.parent / reference).exists()] == []


def test_every_route_is_described_and_nothing_else() -> None:
    app = create_app(MagicMock())
    routes = {
        (re.sub(r":\w+", "", route.path), method.lower())
        for route in app.routes
        for method in route.methods  # type: ignore[union-attr]
        if method not in ("OPTIONS", "HEAD") and not route.path.startswith("/live/")
    }
    described = {(path, method) for path, methods in openapi_document()["paths"].items() for method in methods}
    assert described == routes


def test_path_parameters_are_described() -> None:
    for path, methods in openapi_document()["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_check_tells_a_stale_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    file = tmp_path / "openapi.json"
    assert main(["check", "--file", str(file)]) == 1
    assert "write" in capsys.readouterr().out
    assert main(["write", "--file", str(file)]) == 0
    assert main(["check", "--file", str(file)]) == 0


async def test_served_document_refers_to_schemas_that_are_served(desk: Portal) -> None:
    response = await desk.get("/openapi.json")
    assert set(response.json()["paths"]) == set(openapi_document()["paths"])
    references = set(re.findall(r'"\$ref": ?"([^"#][^"]*)"', response.text))
    assert len(references) > 40
    assert {(await desk.get(reference)).status_code for reference in references} == {200}
