"""The OpenAPI 3.1 document of the portal: `python -m services.portal.openapi write|check`.

Made from the table of operations in `services.portal.described`, the models in `forms` and the bodies of each
route; event payloads are referred to by their published schemas. Exit codes: 0 in step or written, 1 differs,
2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ccr_events.catalogue import event_types
from ccr_events.envelope import BATCH, STRUCTURED
from ccr_events.registry import EventType
from ccr_events.schemas.payload import payload_path
from services.portal.described import OPERATIONS, Operation
from services.portal.forms import ProblemForm, ReceiptForm, ReceiptsForm

FILE = Path(__file__).resolve().parents[2] / "schemas" / "openapi.json"
API_VERSION = "1.0.0"
MULTI_STATUS = 207
"""Answered for batches only."""
_MODELS = "#/components/schemas/{model}"


SchemasAt = Callable[[EventType | None], str]
"""Event type (None: the envelope) → reference to its published schema, from where the document lies."""


def in_repository(event_type: EventType | None) -> str:
    """Beside `schemas/openapi.json`."""
    return "envelope.json" if event_type is None else payload_path(event_type.name, event_type.version)


def as_served(event_type: EventType | None) -> str:
    """Where the portal answers with it."""
    return f"/schemas/{'envelope' if event_type is None else event_type.name}"


def openapi_document(schemas_at: SchemasAt = in_repository) -> dict[str, Any]:
    """The document; the same code gives the same text. `schemas_at` says where the schemas of events are."""
    models: set[type[BaseModel]] = {ProblemForm}
    for operation in OPERATIONS:
        models.update(model for model in (operation.body, operation.answer) if model is not None)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=_MODELS)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CCR backbone",
            "version": API_VERSION,
            "summary": "Publish events, follow alerts, answer protocol links.",
            "description": "Agencies that respond to domestic violence publish what they did; written policies turn "
            "that into obligations of the next agency, and alerts. Alerts, links and timelines hold no "
            "confidential field.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "agencyKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "API key of one agency: ccr_<key id>_<secret>.",
                }
            },
            "schemas": {**_events(schemas_at), **dict(sorted(schemas["$defs"].items()))},
        },
    }


def _events(schemas_at: SchemasAt) -> dict[str, Any]:
    """An event, with the payload of each type by reference to its published schema."""
    types = [t for t in sorted(event_types().values(), key=lambda t: t.name) if t.publishers]
    payload = [
        {
            "if": {"properties": {"type": {"const": t.name}}},
            "then": {"properties": {"data": {"$ref": schemas_at(t)}}},
        }
        for t in types
    ]
    return {
        "Event": {"allOf": [{"$ref": schemas_at(None)}, *payload]},
        "EventBatch": {"type": "array", "maxItems": 1000, "items": {"$ref": "#/components/schemas/Event"}},
        "Payload": {"type": "object", "description": "Payload of the type named in ce-type, see Event."},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {**_good(operation), **_problems(operation)},
    }
    if operation.parameters:
        described["parameters"] = [p.described() for p in operation.parameters]
    if operation.takes:
        described["requestBody"] = _event_body(operation)
    elif operation.body is not None:
        content = {"application/json": {"schema": _model(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.keyed:
        described["security"] = [{"agencyKey": []}]
    return described


def _event_body(operation: Operation) -> dict[str, Any]:
    one = {STRUCTURED: {"schema": {"$ref": "#/components/schemas/Event"}}}
    if operation.takes == "event":
        return {"required": False, "content": one}
    batch = {BATCH: {"schema": {"$ref": "#/components/schemas/EventBatch"}}}
    binary = {"application/json": {"schema": {"$ref": "#/components/schemas/Payload"}}}
    return {"required": True, "content": {**one, **batch, **binary}}


def _good(operation: Operation) -> dict[str, Any]:
    return {
        str(code): {"description": words, "content": {operation.media: {"schema": _answer(operation, code)}}}
        for code, words in operation.good.items()
    }


def _answer(operation: Operation, code: int) -> dict[str, Any]:
    if operation.takes == "events" and code != MULTI_STATUS:
        return {"oneOf": [_model(ReceiptForm), _model(ReceiptsForm)]}
    if operation.answer is not None:
        return _model(operation.answer)
    return {"type": "object" if operation.media.endswith("json") else "string"}


def _model(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _MODELS.format(model=model.__name__)}


def _problems(operation: Operation) -> dict[str, Any]:
    codes = dict(operation.problems)
    if operation.body is not None:
        codes |= {413: "Larger than what is taken."}
    if operation.keyed:
        codes |= {401: "No valid API key.", 429: "Over the rate of this key; `Retry-After` says for how long."}
    schema = {"schema": _model(ProblemForm)}
    return {
        str(code): {"description": words, "content": {"application/problem+json": schema}}
        for code, words in sorted(codes.items())
    }


def text() -> str:
    """The document as the file holds it."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.portal.openapi", description=__doc__)
    parser.add_argument("action", choices=("check", "write"))
    parser.add_argument("--file", type=Path, default=FILE, help="the document (default: schemas/openapi.json)")
    options = parser.parse_args(arguments)
    file: Path = options.file
    if options.action == "write":
        file.write_text(text(), encoding="utf-8")
        return 0
    if file.exists() and file.read_text(encoding="utf-8") == text():
        return 0
    sys.stdout.write(f"{file.name} differs from the code: run `python -m services.portal.openapi write`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
