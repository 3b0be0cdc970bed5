"""The broadcast: one event for all watchers with the same view, and an end for watchers that are
too slow.
"""

import asyncio
from dataclasses import dataclass, field

import pytest

from originmap.domain.access.permissions import Grants, everything_of
from originmap.domain.mapping import mapping
from originmap.service.feed.broadcast import (
    MOST_UNSENT,
    REVOKED,
    SLOW,
    STOPPING,
    Broadcast,
)
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.snapshots import Snapshots
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, new_zone
from tests.service.conftest import World

EVERYTHING = View("token", Grants([everything_of("user")]), whole=True)


class Encoder:
    """Encodes an event as its revision, and counts the events."""

    def __init__(self) -> None:
        self.made = 0

    def changes(self, delta: Delta) -> bytes:
        self.made += 1
        return b"change %d" % delta.revision

    def heartbeat(self, now: Point) -> bytes:
        return b"heartbeat %d" % now.revision


@dataclass(eq=False)
class Watcher:
    """Stores the received events."""

    position: int
    view: View = EVERYTHING
    unsent: int = 0
    is_allowed: bool = True
    events: list[bytes] = field(default_factory=list)
    ended: str = ""

    def allowed(self) -> bool:
        return self.is_allowed

    def send(self, event: bytes) -> None:
        self.events.append(event)

    def end(self, reason: str) -> None:
        self.ended = reason


@dataclass
class Site:
    """A broadcast of a store's changes."""

    world: World
    feed: Feed
    encoder: Encoder
    broadcast: Broadcast

    def watcher(self) -> Watcher:
        made = Watcher(self.world.store.revision)
        assert self.broadcast.join(made)
        return made

    async def change(self) -> int:
        """Commit a change, broadcast it, and return its revision."""
        address = ip("192.0.2.1")
        rule = mapping.put(address, US_EAST)
        if self.world.store.get_now(ZONE_ID, address):
            rule = mapping.delete(address)  # type: ignore[assignment]
        done = await self.world.store.write(ZONE_ID, (address,), rule, CAUSE)
        for _ in range(20):
            await asyncio.sleep(0)
        return done.revision


@pytest.fixture
def site(world: World) -> Site:
    zones, encoder = PastZones(world.store, world.directory), Encoder()
    feed = Feed(world.store, zones, Snapshots(world.store))
    return Site(world, feed, encoder, Broadcast(world.store, feed, zones, encoder, 3600))


async def test_watchers_with_the_same_view_get_one_event(site: Site) -> None:
    watchers = [site.watcher() for _ in range(3)]
    revision = await site.change()
    assert [watcher.events for watcher in watchers] == [[b"change %d" % revision]] * 3
    assert site.encoder.made == 1


async def test_a_disconnected_watcher_gets_no_events(site: Site) -> None:
    stays, leaves = site.watcher(), site.watcher()
    site.broadcast.leave(leaves)
    await site.change()
    assert (len(stays.events), leaves.events, site.broadcast.count) == (1, [], 1)


async def test_a_slow_watcher_is_disconnected_and_other_watchers_are_not(site: Site) -> None:
    slow, quick = site.watcher(), site.watcher()
    slow.unsent = MOST_UNSENT + 1
    await site.change()
    assert (slow.ended, slow.events) == (SLOW, [])
    assert (quick.ended, len(quick.events)) == ("", 1)


async def test_a_watcher_that_is_behind_must_catch_up_first(site: Site) -> None:
    site.watcher()
    await site.change()
    assert not site.broadcast.join(Watcher(0))


async def test_a_revoked_credential_disconnects_its_watcher_at_the_next_record(site: Site) -> None:
    watcher = site.watcher()
    watcher.is_allowed = False
    await site.world.store.write_records(new_zone("e" * 32, "other.example"), CAUSE)
    assert watcher.ended == REVOKED


async def test_a_stopping_server_accepts_no_watchers(site: Site) -> None:
    site.feed.stop()
    late = Watcher(site.world.store.revision)
    assert site.broadcast.join(late)
    assert late.ended == STOPPING
