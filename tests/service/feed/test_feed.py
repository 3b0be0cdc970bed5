"""The feed and its broadcast, on a store in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from originmap.domain.access.permissions import Grants
from originmap.domain.errors import InvalidQuery, StoreBusy, StoreFailed
from originmap.domain.history.change import Change
from originmap.domain.mapping.mapping import put
from originmap.service.access.directory import Directory
from originmap.service.feed import broadcast
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.feed import Delta, Feed, Point, point_of
from originmap.service.feed.snapshots import MOST, MOST_OF_ONE, RESERVED
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone

WHOLE = View("root", Grants([]), whole=True)


class Encoder:
    """Encodes events as readable text."""

    def changes(self, delta: Delta) -> bytes:
        return ",".join(str(change.revision) for change in delta.changes).encode()

    def heartbeat(self, now: Point) -> bytes:
        return b"heartbeat"


class Watcher:
    """Keeps the events it receives."""

    def __init__(self, view: View, position: int) -> None:
        self.view, self.position = view, position
        self.events: list[bytes] = []
        self.ended = ""
        self.unsent = 0
        self.rights = True

    def allowed(self) -> bool:
        return self.rights

    def send(self, event: bytes) -> None:
        self.events.append(event)

    def end(self, reason: str) -> None:
        self.ended = reason


class Unreadable(MemoryStore):
    """A store whose changes temporarily cannot be read."""

    fails = False

    async def changes(self, since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        if self.fails:
            raise StoreFailed("timeout: the database did not respond")
        return await super().changes(since, limit, zone_id)


class World:
    def __init__(self, heartbeat_seconds: float = 60) -> None:
        self.store, directory = Unreadable(), Directory()
        self.store.follow_records(directory.apply)
        zones = PastZones(self.store, directory)
        self.feed = Feed(self.store, zones)
        self.broadcast = Broadcast(self.store, self.feed, zones, Encoder(), heartbeat_seconds)

    async def put(self, text: str) -> None:
        address = ip(text)
        stored = await self.store.get(ZONE_ID, address)
        place = US_WEST if stored and stored.place == US_EAST else US_EAST
        await self.store.write(ZONE_ID, (address,), put(address, place), CAUSE)

    async def watcher(self, view: View = WHOLE) -> Watcher:
        watcher = Watcher(view, self.store.revision)
        assert self.broadcast.join(watcher)
        await settle()
        return watcher


async def settle() -> None:
    """Let all tasks run that can run now."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.store.write_records(new_zone(), CAUSE)
    yield world
    world.feed.stop()
    await settle()


async def test_a_reader_gets_the_changes_after_its_point(world: World) -> None:
    await world.put("::1")
    await world.put("::2")
    delta = await world.feed.after(Point("", 1), WHOLE, 100)
    assert ([c.revision for c in delta.changes], delta.revision) == ([2, 3], 3)
    part = await world.feed.after(Point("", 0), WHOLE, 2)
    assert ([c.revision for c in part.changes], part.revision) == ([1, 2], 2)


async def test_a_reader_of_every_revision_gets_the_time_of_its_own_last_change(
    world: World,
) -> None:
    await world.put("::1")
    await world.put("::2")
    first, second, third = await world.store.changes(0, 10)
    for change, limit in ((first, 1), (second, 100), (third, 100)):
        delta = await world.feed.after(Point("", change.revision), WHOLE, limit)
        assert delta.since_at == change.at
    waiting = asyncio.create_task(world.feed.wait(Point("", 3), WHOLE, 100, 60))
    await settle()
    await world.put("::3")
    assert (await waiting).since_at == third.at
    assert (await world.feed.after(Point("", 0), WHOLE, 100)).since_at is None
    stranger = View("stranger", Grants([]))
    assert (await world.feed.after(Point("", 1), stranger, 100)).since_at is None


async def test_a_long_poll_shows_that_a_restored_database_was_loaded(world: World) -> None:
    restored = World()
    await restored.store.load(world.store.snapshot())
    await world.put("::1")
    (ours,) = await world.store.changes(1, 1)
    await restored.put("::2")
    waiting = asyncio.create_task(world.feed.wait(Point("", 2), WHOLE, 100, 60))
    await settle()
    await world.store.load(restored.store.snapshot(history=True))
    await world.put("::3")
    delta = await waiting
    assert (delta.reset, [c.revision for c in delta.changes]) == ("", [3])
    assert delta.since_at not in (None, ours.at)


async def test_an_answer_is_not_of_two_databases(world: World) -> None:
    restored = World()
    await restored.store.load(world.store.snapshot())
    for number in range(600):
        await world.put(f"10.0.{number // 200}.{number % 200}")
        await restored.put(f"10.1.{number // 200}.{number % 200}")
    read, reads = world.store.changes, 0

    async def changes(since: int, limit: int, zone_id: str | None = None) -> list[Change]:
        nonlocal reads
        reads += 1
        if reads == 2:
            await world.store.load(restored.store.snapshot(history=True))
        return await read(since, limit, zone_id)

    world.store.changes = changes  # type: ignore[method-assign]
    delta = await world.feed.after(Point("", 1), WHOLE, 1_000)
    assert (delta.changes, delta.reset) == ([], "another database was loaded during the read")


async def test_a_restored_database_with_the_same_revision_ends_every_stream(world: World) -> None:
    restored = World()
    await restored.store.load(world.store.snapshot())
    await world.put("::1")
    await restored.put("::2")
    watcher = await world.watcher()
    await world.store.load(restored.store.snapshot())
    await settle()
    assert watcher.ended == broadcast.REPLACED
    again = await world.watcher()
    await world.put("::3")
    await settle()
    assert (again.events, again.ended) == ([b"3"], "")


async def test_a_zone_that_is_only_in_the_history_is_visible(world: World) -> None:
    zones = PastZones(world.store, Directory())
    zone = await zones.zone(ZONE_ID)
    assert zone is not None
    assert zone.id == ZONE_ID


@pytest.mark.parametrize(
    ("point", "why"),
    [
        (Point("other", 1), "another"),
        (Point("", 99), "has not reached"),
        (Point("", 0), "goes back to"),
    ],
)
async def test_a_reader_without_usable_point_gets_a_reset(
    world: World, point: Point, why: str
) -> None:
    await world.put("::1")
    await world.store.forget(1, 1)
    delta = await world.feed.after(point, WHOLE, 100)
    assert why in delta.reset
    assert (delta.changes, delta.revision, delta.epoch) == ([], 2, world.store.epoch)


async def test_a_long_poll_ends_with_the_first_change(world: World) -> None:
    waiting = asyncio.create_task(world.feed.wait(Point("", 1), WHOLE, 100, 60))
    await settle()
    assert not waiting.done()
    await world.put("::1")
    assert [c.revision for c in (await waiting).changes] == [2]


async def test_a_long_poll_without_changes_ends_at_its_timeout(world: World) -> None:
    delta = await world.feed.wait(Point("", 1), WHOLE, 100, 0.01)
    assert (delta.changes, delta.revision) == ([], 1)


async def test_a_long_poll_gets_a_reset_when_the_database_is_replaced(world: World) -> None:
    other = World()
    for number in range(3):
        await other.store.write_records(new_zone(f"{number:032}", f"z{number}.example"), CAUSE)
    waiting = asyncio.create_task(world.feed.wait(Point("", 1), WHOLE, 100, 60))
    await settle()
    await world.store.load(other.store.snapshot(history=True))
    delta = await waiting
    assert "another" in delta.reset
    assert (delta.epoch, delta.revision, delta.changes) == (other.store.epoch, 3, [])


async def test_invisible_changes_only_advance_the_revision(world: World) -> None:
    stranger = View("stranger", Grants([]))
    await world.put("::1")
    delta = await world.feed.after(Point("", 0), stranger, 100)
    assert (delta.changes, delta.revision) == ([], 2)


async def test_stopping_the_feed_ends_every_long_poll(world: World) -> None:
    waiting = asyncio.create_task(world.feed.wait(Point("", 1), WHOLE, 100, 60))
    watcher = await world.watcher()
    world.feed.stop()
    assert (await waiting).changes == []
    await settle()
    assert watcher.ended == broadcast.STOPPING


async def test_watchers_get_each_commit_once_in_order(world: World) -> None:
    first = await world.watcher()
    await world.put("::1")
    await settle()
    second = await world.watcher()
    await world.put("::2")
    await world.put("::3")
    await settle()
    assert b",".join(first.events) == b"2,3,4"
    assert b",".join(second.events) == b"3,4"


async def test_a_watcher_that_joins_ahead_gets_nothing_twice(world: World) -> None:
    first = await world.watcher()
    await world.put("::1")  # committed, but not yet sent to the first
    ahead = Watcher(WHOLE, world.store.revision)
    assert world.broadcast.join(ahead)
    await settle()
    await world.put("::2")
    await settle()
    assert (first.events[0], b",".join(ahead.events)) == (b"2", b"3")


async def test_a_watcher_that_is_behind_must_catch_up_first(world: World) -> None:
    await world.watcher()
    await world.put("::1")
    await settle()
    assert not world.broadcast.join(Watcher(WHOLE, 1))


async def test_a_slow_watcher_is_disconnected_and_other_watchers_go_on(world: World) -> None:
    slow, quick = await world.watcher(), await world.watcher()
    slow.unsent = broadcast.MOST_UNSENT + 1
    await world.put("::1")
    await settle()
    assert (slow.events, slow.ended) == ([], broadcast.SLOW)
    assert (quick.events, quick.ended, world.broadcast.count) == ([b"2"], "", 1)


async def test_a_watcher_without_permission_is_disconnected_before_the_next_event(
    world: World,
) -> None:
    watcher = await world.watcher()
    watcher.rights = False
    await world.store.write_records(new_zone("f" * 32, "other.example"), CAUSE)
    await settle()
    assert (watcher.events, watcher.ended) == ([], broadcast.REVOKED)


async def test_a_replaced_database_ends_every_stream(world: World) -> None:
    watcher = await world.watcher()
    await world.store.load(World().store.snapshot())
    await settle()
    assert watcher.ended == broadcast.REPLACED


async def test_a_read_error_ends_every_stream_and_new_streams_work(
    world: World,
) -> None:
    watcher = await world.watcher()
    world.store.fails = True
    await world.put("::1")
    await settle()
    assert (watcher.ended, world.broadcast.count) == (broadcast.FAILED, 0)
    world.store.fails = False
    again = await world.watcher()
    await world.put("::2")
    await settle()
    assert (again.events, again.ended) == ([b"3"], "")


async def test_heartbeats_are_sent_without_changes() -> None:
    world = World(heartbeat_seconds=0.01)
    watcher = await world.watcher()
    while len(watcher.events) < 3:
        await asyncio.sleep(0.01)
    assert set(watcher.events) == {b"heartbeat"}
    world.feed.stop()
    await settle()


async def test_concurrent_snapshots_are_limited(world: World) -> None:
    taken = [world.feed.snapshot(WHOLE) for _ in range(MOST_OF_ONE)]
    for snapshot in taken:
        await anext(snapshot)
    with pytest.raises(StoreBusy):
        await anext(world.feed.snapshot(WHOLE))
    await taken[0].aclose()
    assert await anext(world.feed.snapshot(WHOLE))


async def test_snapshots_are_limited_per_credential_and_reserved_for_operators(
    world: World,
) -> None:
    taken, refused = [], 0
    for name in ("first", "second", "third"):
        for _ in range(MOST_OF_ONE + 4):
            parts = world.feed.snapshot(View(name, Grants([])))
            try:
                await anext(parts)
            except StoreBusy:
                refused += 1
            else:
                taken.append(name)
    assert taken == ["first"] * MOST_OF_ONE + ["second"] * (MOST - RESERVED - MOST_OF_ONE)
    assert refused == 3 * (MOST_OF_ONE + 4) - len(taken)
    for _ in range(RESERVED):
        assert await anext(world.feed.snapshot(WHOLE))
    with pytest.raises(StoreBusy):
        await anext(world.feed.snapshot(WHOLE))


async def test_heartbeats_are_on_time_under_constant_writes() -> None:
    """Also to a reader that sees none of the writes."""
    world = World(heartbeat_seconds=0.05)
    await world.store.write_records(new_zone(), CAUSE)
    quiet = await world.watcher(View("stranger", Grants([])))
    ended = asyncio.get_running_loop().time() + 0.5
    while asyncio.get_running_loop().time() < ended:
        await world.put("::1")
        await asyncio.sleep(0)
    assert len(quiet.events) >= 3
    assert set(quiet.events) == {b"heartbeat"}
    world.feed.stop()
    await settle()


async def test_a_long_poll_ends_when_the_client_disconnects(world: World) -> None:
    leaving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(world.feed.wait(Point("", 1), WHOLE, 100, 60, leaving))
    await settle()
    assert not waiting.done()
    leaving.set_result(None)
    assert (await waiting).changes == []


def test_points_are_parsed() -> None:
    assert point_of("41") == Point("", 41)
    assert point_of("8c0f-41") == Point("8c0f", 41)
    for text in ("", "x", "-1", "1-", "8C0F-41", "1" * 16, "\u0661"):
        with pytest.raises(InvalidQuery):
            point_of(text)
