"""The API reference, from our OpenAPI document: /ui/reference."""

from originmap.api.http.response import Response
from originmap.api.ui.openapi_reader import Reference, read_reference
from originmap.api.ui.visit import Visit

_DOCUMENT = "/originmap/v1/openapi.json"


async def list_operations(visit: Visit) -> Response:
    """GET /ui/reference: the operations by their groups; `q` is a part of what they say."""
    reference, wanted = await _reference(visit), visit.query.get("q", "").strip()
    parts = wanted.lower().split()
    groups = {
        tag: [
            operation
            for operation in reference.operations.values()
            if operation.tag == tag
            and all(
                part in f"{operation.method} {operation.path} {operation.summary}".lower()
                for part in parts
            )
        ]
        for tag in reference.tags
    }
    return await visit.page("reference.html", reference=reference, groups=groups, wanted=wanted)


async def show_operation(visit: Visit) -> Response:
    """GET /ui/reference/{operation}"""
    operation = (await _reference(visit)).operations.get(visit.arguments["operation"])
    if operation is None:
        return await visit.page("refused.html", 404, ["The API has no operation of that name."])
    return await visit.page("operation.html", operation=operation)


async def _reference(visit: Visit) -> Reference:
    return read_reference(await visit.inner.text(_DOCUMENT))
