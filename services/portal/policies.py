"""Written policies and published schemas: the rules everybody works by. Public, like the policies themselves."""

from __future__ import annotations

import orjson
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery

from ccr_events.catalogue import event_types
from ccr_events.policy.document import Document
from ccr_events.schemas.envelope import envelope_schema, record_schema
from ccr_events.schemas.payload import payload_schema
from services.portal.backbone import Reading
from services.portal.forms import JSON, PoliciesForm, PolicyForm, answer
from services.portal.problems import not_found

SCHEMA_JSON = "application/schema+json"


def policy_routes(reading: Reading) -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/v1/policies")
    async def list_policies() -> Response[bytes]:
        """Every version of every written policy, in short."""
        return answer(PoliciesForm(policies=[_short(document) for document in reading.policies.documents]))

    @get("/v1/policies/{name:str}")
    async def show_policy(name: FromPath[str], version: FromQuery[str | None] = None) -> Response[bytes]:
        """One written policy, whole; the newest version unless one is named."""
        found = [d for d in reading.policies.documents if d.policy == name and version in (None, d.version)]
        if not found:
            raise not_found("policy")
        newest = max(found, key=lambda d: d.version_order)
        return Response(orjson.dumps(newest.model_dump(mode="json", exclude_none=True)), media_type=JSON)

    @get("/schemas/{name:str}")
    async def show_schema(name: FromPath[str]) -> Response[bytes]:
        """JSON Schema of an event type's payload, or of the `envelope` or a `record`."""
        if name in ("envelope", "record"):
            schema = envelope_schema() if name == "envelope" else record_schema()
        elif (event_type := event_types().get(name)) is not None:
            schema = payload_schema(event_type)
        else:
            raise not_found("schema")
        return Response(orjson.dumps(schema), media_type=SCHEMA_JSON)

    return [list_policies, show_policy, show_schema]


def _short(document: Document) -> PolicyForm:
    return PolicyForm(
        policy=document.policy,
        version=document.version,
        effective=document.effective.isoformat(),
        agency=document.agency.value,
        title=document.title,
    )
