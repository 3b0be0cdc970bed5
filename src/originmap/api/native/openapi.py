"""The OpenAPI 3.1 description of all routes: GET /originmap/v1/openapi.json.

It is written by hand in the YAML files of api/openapi/; scripts/openapi.py generates the JSON from
them. Tests compare it with the routes in both directions.
"""

from pathlib import Path

from originmap.api.http.request import Request
from originmap.api.http.response import Response

_FILE = Path(__file__).parent.parent / "openapi/openapi.json"


def document() -> bytes:
    """The document as JSON."""
    return _FILE.read_bytes()


class OpenAPIDocument:
    """GET /originmap/v1/openapi.json, without a credential: it has no data of this server."""

    async def get_document(self, request: Request) -> Response:
        """The document without an envelope, as tools expect."""
        return Response(document())
