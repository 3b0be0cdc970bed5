"""Streamed responses, and clients that do not read them."""

import asyncio

import pytest

from originmap import bootstrap
from originmap.api.http.link import Stream
from originmap.api.native.feed.events import MOST_IN_EVENT, Events, EventWatcher, watch
from originmap.domain.access.permissions import Grants
from originmap.domain.access.token import hash_secret
from originmap.domain.mapping.mapping import put
from originmap.service import initial_data
from originmap.service.access.access import Access
from originmap.service.access.sessions import Sessions
from originmap.service.export.exports import ExportRequest
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.feed import Point
from originmap.service.feed.snapshots import MOST, MOST_OF_ONE, SnapshotReader
from originmap.service.feed.view import View
from originmap.store.clock import wall_clock
from tests.api.answers import error
from tests.api.application import BEARER, client_of
from tests.builders import CAUSE, US_EAST, ips

HOST = "http://testserver"
EXPORT, SNAPSHOT = "/originmap/v1/export/csv", "/originmap/v1/snapshot"

WHOLE = View("root", Grants([]), whole=True)


@pytest.mark.parametrize("path", [EXPORT, SNAPSHOT])
@pytest.mark.parametrize("taken", [0, 1])
async def test_a_disconnect_frees_its_slot(path: str, taken: int) -> None:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        for _ in range(MOST + 1):
            async with client.stream("GET", HOST + path) as answer:
                pieces = answer.aiter_raw()
                for _ in range(taken):
                    await anext(pieces)
        assert (await client.get(HOST + path)).status_code == 200


async def test_reads_over_the_limit_get_retry_after() -> None:
    async with (
        bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened,
        client_of(opened, BEARER) as client,
    ):
        dev = SnapshotReader(initial_data.DEV_ID, operator=True)
        exports = [
            (await opened.exports.begin(ExportRequest("csv"), opened.directory.zones, dev))[1]
            for _ in range(MOST_OF_ONE)
        ]
        refused = await client.get(HOST + EXPORT)
        assert error(refused)[:2] == (503, 10503)
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"] == "application/json"
        asked = {"node": {"metadata": {"originmap": {"upstream": ["{colo}.example:80"]}}}}
        routes, clusters = (f"{HOST}/v3/discovery:{kind}" for kind in ("routes", "clusters"))
        assert (await client.post(routes, json=asked)).status_code == 503
        assert (await client.post(clusters, json=asked)).status_code == 200
        snapshots = [opened.feed.snapshot(WHOLE) for _ in range(MOST - MOST_OF_ONE)]
        for snapshot in snapshots:
            await anext(snapshot)
        refused = await client.get(HOST + SNAPSHOT)
        assert error(refused)[:2] == (503, 10503)
        assert "content-encoding" not in refused.headers
        for reading in (*exports, *snapshots):
            await reading.aclose()
        for path in (EXPORT, SNAPSHOT):
            assert (await client.get(HOST + path)).status_code == 200


async def test_changes_are_not_sent_after_a_disconnect() -> None:
    async with bootstrap.open_store(bootstrap.MEMORY, initial_data.prepare_dev) as opened:
        store, feed, directory = opened.store, opened.feed, opened.directory
        for address in ips(2 * MOST_IN_EVENT + 10):
            await store.write(initial_data.DEV_ID, (address,), put(address, US_EAST), CAUSE)
        stream = Stream(asyncio.Transport())
        caller = directory.token_caller(hash_secret(initial_data.DEV_TOKEN))
        assert caller is not None
        watcher = EventWatcher(stream, WHOLE, Point(store.epoch, 0), lambda: True)
        broadcast = Broadcast(store, feed, opened.zones, Events())
        sessions = Sessions(store, Access(directory, wall_clock), wall_clock)
        sent = []
        async for event in watch(feed, broadcast, watcher, sessions, caller):
            sent.append(event)
            if len(sent) == 2:
                stream.lost()
        # A comment and one event; a further event would have the remaining changes.
        assert (len(sent), sessions.count, broadcast.count) == (2, 0, 0)
        assert sent[1].count(b'"revision":') == MOST_IN_EVENT + 1
