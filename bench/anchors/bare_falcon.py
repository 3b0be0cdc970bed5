"""For information: bare Falcon with msgspec, the framework Originmap is built on.

The difference to Originmap is the cost of Originmap's own work; the difference to bare_asgi.py is
the cost of the framework.
"""

import hashlib

import falcon
import falcon.asgi
import msgspec

from bench.anchors import anchor
from bench.anchors.answers import MODIFIED_ON
from bench.harness.dataset import REGIONS, TOKEN, VENDOR, ZONE, ZONE_SIZE, address


class Entry(msgspec.Struct):
    """A mapping in a response."""

    modified_on: str
    origin_ip: str
    region: str
    vendor: str


class Envelope(msgspec.Struct):
    """The envelope of every response."""

    errors: list[str]
    messages: list[str]
    result: Entry
    success: bool


class Authorize:
    """Middleware: the same bearer check as bare_asgi.py."""

    def __init__(self) -> None:
        """Store the only valid token."""
        self._tokens = {hashlib.sha256(TOKEN.encode()).digest(): "bench"}

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Reject a request without the token."""
        if req.path == "/healthz":
            return
        scheme, _, secret = (req.get_header("Authorization") or "").partition(" ")
        if scheme != "Bearer" or hashlib.sha256(secret.encode()).digest() not in self._tokens:
            raise falcon.HTTPUnauthorized


class OneMapping:
    """GET one mapping."""

    def __init__(self) -> None:
        """Store the zone's mappings."""
        ips = [address(index) for index in range(ZONE_SIZE)]
        self._entries = {(ZONE, ip): Entry(MODIFIED_ON, ip, REGIONS[0], VENDOR) for ip in ips}
        self._encoder = msgspec.json.Encoder()

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, zone_id: str, origin_ip: str
    ) -> None:
        """Return the mapping in its envelope."""
        entry = self._entries.get((zone_id, origin_ip))
        if entry is None:
            raise falcon.HTTPNotFound
        resp.data = self._encoder.encode(Envelope([], [], entry, True))


class Health:
    """GET /healthz."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Report that the server is up."""
        resp.data = b"{}"


def create() -> falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]:
    """The app with its two routes."""
    app = falcon.asgi.App(middleware=[Authorize()])
    app.add_route("/client/v4/zones/{zone_id}/origin/cloud_regions/{origin_ip}", OneMapping())
    app.add_route("/healthz", Health())
    return app


if __name__ == "__main__":
    _, port = anchor.arguments(__doc__)
    anchor.serve(create(), port)
