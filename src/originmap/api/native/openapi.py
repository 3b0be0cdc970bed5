"""The description of everything served: GET /originmap/v1/openapi.json, OpenAPI 3.1.

It is written by hand in the YAML files of api/openapi/, from which scripts/openapi.py makes the
JSON that is served; tests hold it against the routes, both ways.
"""

from importlib import resources

from originmap.api.http.request import Request
from originmap.api.http.response import Response


def document() -> bytes:
    """The document as JSON."""
    return resources.files("originmap.api").joinpath("openapi/openapi.json").read_bytes()


class OpenAPIDocument:
    """GET /originmap/v1/openapi.json, for anybody: it says nothing of this server's data."""

    async def get_document(self, request: Request) -> Response:
        """The document, without an envelope, as tools expect it."""
        return Response(document())
