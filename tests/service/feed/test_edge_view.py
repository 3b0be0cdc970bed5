"""The view of an edge node: complete for following, without credentials."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from originmap import data
from originmap.api.native.feed.delta_json import delta_json
from originmap.domain.access.permissions import ALL_ZONES, ZONE_PREFIX, Grants, Group, group_id
from originmap.domain.access.token import hash_secret
from originmap.domain.access.token_rules import create_token, revoke_token
from originmap.domain.history.change import Cause
from originmap.domain.history.record import HIDDEN, Key, Kind, RecordChange, Value
from originmap.domain.history.snapshot import Part, Record
from originmap.domain.mapping.mapping import put
from originmap.domain.rollout.rollout import halt, hold, start
from originmap.domain.rollout.rules import take
from originmap.domain.tier.cache import CacheState
from originmap.domain.tier.cache_changes import CacheChange, caches_of
from originmap.domain.tier.topology import Topology
from originmap.domain.tier.topology_rules import change_topology
from originmap.domain.zone.rules import add_missing, delete_zone
from originmap.domain.zone.zone import Account, User
from originmap.edge.follow.comparison import Comparison
from originmap.edge.follow.feed_client import FeedClient
from originmap.edge.follow.follower import Follower
from originmap.feed.changes_json import DeltaJSON, changes_json, read_changes, unseal
from originmap.feed.snapshot_json import read_lines, write_lines
from originmap.feed.state_digest import StateDigest
from originmap.service.access.directory import Directory
from originmap.service.feed.broadcast import Broadcast
from originmap.service.feed.digests import Digests
from originmap.service.feed.feed import Delta, Feed, Point
from originmap.service.feed.replication import Replication
from originmap.service.feed.view import View
from originmap.service.history.past_zones import PastZones
from originmap.store.memory import MemoryStore
from tests.builders import US_EAST, US_WEST, ZONE_ID, ip, new_zone, policy, token
from tests.service.feed.test_feed import Watcher

OTHER = "b" * 32
SECRETS = ("someone@example.net", "secret name", hash_secret("secret-secret name"), "Secret Inc.",
           "cred-7", "192.0.2.77", "ray-7", "because of zone b")  # fmt: skip
BY = Cause("cred-7", "192.0.2.77", "ray-7")
EDGE = group_id(Group.EDGE)
ALL = Grants([policy(True, [ALL_ZONES], [EDGE])])
ONE = Grants([policy(True, [ZONE_PREFIX + ZONE_ID], [EDGE])])


class Source:
    """A database with its feed."""

    def __init__(self) -> None:
        self.store, directory = MemoryStore(), Directory()
        self.store.follow_records(directory.apply)
        self.zones = PastZones(self.store, directory)
        self.feed = Feed(self.store, self.zones)
        self.digests = Digests(self.store)

    async def put(self, zone_id: str, text: str, place: tuple[str, str] = US_EAST) -> None:
        address = ip(text)
        await self.store.write(zone_id, (address,), put(address, place), BY)

    async def furnish(self) -> None:
        """Create zones, credentials and an account."""
        values: list[tuple[Kind, Value]] = [
            (Kind.ACCOUNT, Account("account", "Secret Inc.", 1)),
            (Kind.USER, User("user", "someone@example.net", "f" * 64, 1)),
        ]
        await self.store.write_records(add_missing(values), BY)
        await self.store.write_records(new_zone(), BY)
        await self.store.write_records(new_zone(OTHER, "example.org"), BY)
        await self.new_token("secret name")
        for zone_id in (ZONE_ID, OTHER):
            await self.put(zone_id, "192.0.2.1")

    async def new_token(self, name: str) -> None:
        made = token(name, policy(True, [ALL_ZONES], [group_id(Group.ZONE_READ)]))
        await self.store.write_records(create_token(made), BY)


class Client(FeedClient):
    """A client that encodes and decodes without a network."""

    def __init__(self, source: Source, grants: Grants) -> None:
        super().__init__("http://primary.example", "token", "node", of_nodes=True)
        self.source, self.grants = source, grants
        self.sent = b""
        self.snapshots = 0

    @property
    def view(self) -> View:
        return View("node", self.grants, edge=True)

    async def changes(self, point: Point, limit: int, wait: int) -> DeltaJSON:
        delta = await self.source.feed.after(point, self.view, limit)
        sealed = delta_json(delta)
        self.sent += msgspec.json.encode(sealed)
        return unseal(sealed)

    async def snapshot(self) -> AsyncIterator[Part]:
        self.snapshots += 1

        async def lines() -> AsyncIterator[bytes]:
            async for line in write_lines(self.source.feed.snapshot(self.view, 0)):
                self.sent += line
                yield line

        async for part in read_lines(lines()):
            yield part

    async def digest(self) -> StateDigest | None:
        return await self.source.digests.recent(self.view)


class Node:
    """A replica that follows a source."""

    def __init__(self, source: Source, grants: Grants) -> None:
        self.store, self.client = MemoryStore(), Client(source, grants)
        self.follower = Follower(
            self.store, self.client, Replication("http://primary.example", lambda: 0)
        )

    async def catch_up(self) -> None:
        await self.follower.catch_up()

    async def differs(self) -> str:
        self.client.source.digests = Digests(self.client.source.store)
        return await Comparison(self.store, self.client).differs()

    async def records(self) -> set[Key]:
        return {part.key async for part in self.store.snapshot() if isinstance(part, Record)}


@pytest.fixture
async def source() -> Source:
    made = Source()
    await made.furnish()
    return made


@pytest.mark.parametrize("grants", [ALL, ONE], ids=["all zones", "one zone"])
async def test_an_edge_node_follows_every_revision_without_secrets(
    source: Source, grants: Grants
) -> None:
    node = Node(source, grants)
    await node.catch_up()
    for step in range(3):
        await source.new_token(f"secret name {step}")
        await source.put(OTHER, f"192.0.2.{step + 10}")
        await source.put(ZONE_ID, f"192.0.2.{step + 10}", US_WEST)
        await node.catch_up()
        assert node.store.revision == source.store.revision
        assert await node.differs() == ""
    await source.store.write_records(revoke_token("secret name"), BY)
    await source.store.write_records(delete_zone(OTHER), BY)
    await node.catch_up()
    assert (node.store.revision, node.client.snapshots) == (source.store.revision, 1)
    assert await node.differs() == ""
    assert not [secret for secret in SECRETS if secret.encode() in node.client.sent]


async def test_forbidden_changes_are_hidden_and_allowed_ones_have_no_cause(
    source: Source,
) -> None:
    delta = await source.feed.after(Point("", 0), View("node", ONE, edge=True), 100)
    everything = await source.store.changes(0, 100)
    assert [(c.revision, c.at) for c in delta.changes] == [(c.revision, c.at) for c in everything]
    assert {c.cause for c in delta.changes} == {Cause("", "", "")}
    shown = [c.zone_id for c in delta.changes if c.what != HIDDEN]
    assert shown == [ZONE_ID, ZONE_ID]
    assert read_changes(changes_json(delta.changes)) == delta.changes


async def test_a_node_with_one_zone_gets_it_and_the_shared_records(source: Source) -> None:
    node = Node(source, ONE)
    await node.catch_up()
    assert await node.records() == {Key(Kind.ZONE, ZONE_ID)}
    assert (await node.store.page(ZONE_ID, 0, 10)).total == 1


async def test_an_edge_node_does_not_see_the_reason_and_actor_of_a_halt(
    source: Source,
) -> None:
    node = Node(source, ALL)
    base = source.store.revision
    steps = [hold(base, 1), start(("100%",), None, base + 3, 1), halt("because of zone b")]
    for step in steps:
        await source.put(ZONE_ID, f"192.0.2.{20 + source.store.revision}")
        await source.store.write_records(take(step, "cred-7", 1, None), BY)
        await node.catch_up()
    (rollout,) = [
        c async for c in node.store.snapshot() if getattr(c, "key", [0])[0] is Kind.ROLLOUT
    ]
    assert (rollout.value.state, rollout.value.why, rollout.value.by) == ("halted", "", "")
    assert node.client.snapshots == 1
    assert await node.differs() == ""
    assert not [secret for secret in SECRETS if secret.encode() in node.client.sent]


async def test_changed_permissions_make_the_node_copy_again(
    source: Source,
) -> None:
    node = Node(source, ALL)
    for grants, zones in ((ALL, {ZONE_ID, OTHER}), (ONE, {ZONE_ID}), (ALL, {ZONE_ID, OTHER})):
        node.client.grants = grants
        await node.catch_up()
        assert {key.id for key in await node.records()} == zones
        assert await node.differs() == ""
    assert node.client.snapshots == 3


async def test_a_copy_that_differs_from_its_view_is_detected(source: Source) -> None:
    node = Node(source, ONE)
    await node.catch_up()
    await node.store.apply(
        [(await source.store.changes(0, 1))[0]._replace(
            revision=node.store.revision + 1, zone_id="",
            what=RecordChange(Key(Kind.USER, "u"), None, User("u", "x@example.net", "", 1)),
        )]
    )  # fmt: skip
    await source.put(OTHER, "192.0.2.99")
    assert await node.differs() == "records"


async def test_a_hidden_change_wakes_a_waiting_node(source: Source) -> None:
    view = View("node", ONE, edge=True)
    now = source.feed.now_for(view)
    waiting = asyncio.create_task(source.feed.wait(now, view, 10, 20))
    await asyncio.sleep(0)
    await source.new_token("another")
    delta = await waiting
    assert [(c.revision, c.what) for c in delta.changes] == [(now.revision + 1, HIDDEN)]
    assert (delta.epoch, delta.reset) == (now.epoch, "")


async def test_a_whole_copy_is_not_accepted_as_an_edge_copy(
    source: Source,
) -> None:
    node = Node(source, ALL)
    whole = View("root", Grants([]), whole=True)
    await node.store.load(source.feed.snapshot(whole))
    await node.catch_up()
    assert {key.kind for key in await node.records()} == {Kind.ZONE}


class Encoder:
    """Records the epoch and the changes of each event."""

    def changes(self, delta: Delta) -> bytes:
        told = ",".join(f"{c.revision} {c.what == HIDDEN}" for c in delta.changes)
        return f"{delta.epoch}: {told}".encode()

    def heartbeat(self, now: Point) -> bytes:
        return f"{now.epoch} is at {now.revision}".encode()


async def test_a_stream_of_an_edge_node_has_every_revision_with_its_own_epoch(
    source: Source,
) -> None:
    broadcast = Broadcast(source.store, source.feed, source.zones, Encoder(), 0.05)
    views = [View("node", ONE, edge=True), View("root", Grants([]), whole=True)]
    node, root = [Watcher(view, source.store.revision) for view in views]
    for watcher in (node, root):
        assert broadcast.join(watcher)
    since = source.store.revision
    await source.new_token("another")
    await source.put(ZONE_ID, "192.0.2.50")
    beat = f"{source.store.epoch} is at {since + 2}".encode()
    async with asyncio.timeout(20):
        while beat not in root.events:
            await asyncio.sleep(0.01)
    own = source.feed.now_for(node.view).epoch
    assert own != source.store.epoch
    told = b" ".join(node.events).decode()
    assert f"{since + 1} True" in told
    assert f"{since + 2} False" in told
    assert f"{own} is at {since + 2}" in told
    assert source.store.epoch not in told
    for watcher in (node, root):
        broadcast.leave(watcher)


async def test_a_node_gets_the_caches_of_the_topology(source: Source) -> None:
    node = Node(source, ONE)
    await node.catch_up()
    caches = {"iad-1": CacheChange("IAD", "192.0.2.10", 81, 2, CacheState.DRAINING, ("nvme",))}
    await source.store.write_records(change_topology({}, caches, data.topology()), BY)
    await node.catch_up()
    records = [part async for part in node.store.snapshot() if isinstance(part, Record)]
    (topology,) = (part.value for part in records if isinstance(part.value, Topology))
    assert caches_of(topology) == {"iad-1": ("IAD", caches["iad-1"].of("iad-1"))}
    assert (node.client.snapshots, await node.differs()) == (1, "")
