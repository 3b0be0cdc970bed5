"""The anchor for processes on PostgreSQL: the least an ASGI app with asyncpg can do.

The same bearer check as bare_asgi.py, and one statement for each request: a lookup by primary key,
or an update that is committed before the answer. No limits, history, revisions or notifications.
"""

import hashlib
import json

import asyncpg

from bench.anchors import anchor, answers
from bench.anchors.bare_asgi import Message, Receive, Send
from bench.harness.dataset import REGIONS, TOKEN, ZONE_SIZE, address, mappings_path

_CREATE = "CREATE TABLE IF NOT EXISTS bare (path text PRIMARY KEY, ip text, region text)"
_FILL = """
    INSERT INTO bare SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
    ON CONFLICT DO NOTHING"""
_GET = "SELECT ip, region FROM bare WHERE path = $1"
_PUT = "UPDATE bare SET region = $2 WHERE path = $1 RETURNING ip, region"
_MOST_CONNECTIONS = 10  # as Originmap


class BareDatabaseApp:
    """GET and PUT one mapping, and /healthz."""

    def __init__(self, url: str) -> None:
        """Use the database of `url`."""
        self._url = url
        self._pool: asyncpg.Pool | None = None
        self._tokens = {hashlib.sha256(TOKEN.encode()).digest(): "bench"}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._pool is None:
            self._pool = await _open(self._url)
        status, body = 200, b"{}"
        if scope["path"] != "/healthz":
            status, body = await self._answered(self._pool, scope, receive)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answered(
        self, pool: asyncpg.Pool, scope: Message, receive: Receive
    ) -> tuple[int, bytes]:
        scheme, _, secret = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        if scheme != b"Bearer" or hashlib.sha256(secret).digest() not in self._tokens:
            return 401, answers.UNAUTHORIZED
        arguments = [scope["path"]]
        if scope["method"] == "PUT":
            message = await receive()
            arguments.append(json.loads(message["body"])["region"])
        row = await pool.fetchrow(_PUT if len(arguments) > 1 else _GET, *arguments)
        return (200, answers.one(*row)) if row else (404, answers.NOT_FOUND)


async def _open(url: str) -> asyncpg.Pool:
    pool = await asyncpg.create_pool(url, min_size=1, max_size=_MOST_CONNECTIONS)
    ips = [address(index) for index in range(ZONE_SIZE)]
    paths, regions = [f"{mappings_path()}/{ip}" for ip in ips], [REGIONS[0]] * ZONE_SIZE
    await pool.execute(_CREATE)
    await pool.execute(_FILL, paths, ips, regions)
    return pool


if __name__ == "__main__":
    url, port = anchor.arguments(__doc__, str)
    anchor.serve(BareDatabaseApp(url), port)
