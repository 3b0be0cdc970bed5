"""The configuration files of deploy/nats in real servers: what each user may do, and that a region
follows its own copy.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from originmap.domain.nats_url import parse_nats
from originmap.jetstream.connection import NatsAccess
from originmap.jetstream.credentials import NatsCredentials
from originmap.jetstream.publisher import StreamLimits
from originmap.service.feed.followers import Report
from tests.caches.network import free_port
from tests.jetstream.broker import Broker
from tests.jetstream.primary import Primary, following, publishing, stored
from tests.waiting import until

DEPLOY = Path(__file__).parents[2] / "deploy" / "nats"
DOCS = Path(__file__).parents[2] / "docs" / "nats.md"
PASSWORDS = {"publisher": "pub-1", "node": "node-1", "leaf": "leaf-1", "admin": "admin-1"}

PUBLISHER, LEAF, NODE = "publisher", "leaf", "node"
PUBLISH = {
    "ORIGINMAP.zone.0123": {PUBLISHER},
    "ORIGINMAP.record.topology": {PUBLISHER},
    "ORIGINMAP.start": {PUBLISHER},
    "ORIGINMAP.heartbeat": {PUBLISHER},
    "ORIGINMAP.report.node-7": {LEAF, NODE},
    "$O.ORIGINMAP.C.x": {PUBLISHER},
    "$O.ORIGINMAP.M.x": {PUBLISHER},
    "$JS.API.STREAM.CREATE.ORIGINMAP": {PUBLISHER},
    "$JS.API.STREAM.UPDATE.ORIGINMAP": {PUBLISHER},
    "$JS.API.STREAM.PURGE.ORIGINMAP": {PUBLISHER},
    "$JS.API.STREAM.INFO.ORIGINMAP": {PUBLISHER, NODE},
    "$JS.API.STREAM.MSG.GET.ORIGINMAP": {PUBLISHER, NODE},
    "$JS.API.CONSUMER.CREATE.ORIGINMAP": {NODE},
    "$JS.hub.API.STREAM.PURGE.ORIGINMAP": {PUBLISHER},
    "$JS.hub.API.STREAM.DELETE.ORIGINMAP": set[str](),
    "$JS.API.STREAM.DELETE.ORIGINMAP": set[str](),
    "$JS.API.STREAM.MSG.DELETE.ORIGINMAP": set[str](),
    "$JS.API.STREAM.DELETE.OBJ_ORIGINMAP": set[str](),
    "$JS.API.STREAM.CREATE.OTHER": set[str](),
    "orders.new": set[str](),
}
"""Who may publish to a subject."""
SUBSCRIBE = {
    "ORIGINMAP.heartbeat": {LEAF, NODE},
    "ORIGINMAP.report.>": {PUBLISHER, LEAF},
    "ORIGINMAP.>": {LEAF},
    "$JS.API.>": {LEAF},
}
"""Who may subscribe to a subject."""


def configured(name: str, folder: Path, leaf_port: int) -> Broker:
    """A server with a file of deploy/nats, on other addresses and with passwords."""
    text = (DEPLOY / f"{name}.conf").read_text("utf-8")
    assert text.count('listen: "0.0.0.0:4222"') == 1
    text = text.replace('listen: "0.0.0.0:4222"\n', "").replace("server_name", "# server_name")
    text = text.replace("0.0.0.0:7422", f"127.0.0.1:{leaf_port}")
    text = text.replace("/var/lib/nats", str(folder / name))
    for user, password in PASSWORDS.items():
        text = text.replace(f"${user.upper()}_PASSWORD", f'"{password}"')
    text = text.replace("$HUB_URL", f'"nats://leaf:{PASSWORDS[LEAF]}@127.0.0.1:{leaf_port}"')
    return Broker(folder, text)


@pytest.fixture(scope="module")
def hub_and_leaf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Broker, Broker]]:
    folder, port = tmp_path_factory.mktemp("deployed"), free_port()
    with configured("hub", folder, port) as hub, configured("leaf", folder, port) as leaf:
        yield hub, leaf


@pytest.fixture
def hub(hub_and_leaf: tuple[Broker, Broker]) -> Broker:
    return hub_and_leaf[0]


class User:
    """A connected user, and the operations that the server has refused."""

    def __init__(self) -> None:
        self.client, self._refused = Client(), 0

    async def connect(self, broker: Broker, name: str) -> "User":
        await self.client.connect(
            broker.address, user=name, password=PASSWORDS[name], error_cb=self._note
        )
        return self

    async def refusals(self) -> int:
        """The number of refusals so far."""
        await self.client.flush()
        await self.client.flush()  # nats-py may return from the first before it has read a refusal
        return self._refused

    async def _note(self, error: Exception) -> None:
        assert "permissions violation" in str(error)
        self._refused += 1


async def user(broker: Broker, name: str) -> User:
    return await User().connect(broker, name)


@pytest.fixture(params=[PUBLISHER, LEAF, NODE])
async def someone(hub: Broker, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, User]]:
    found = await user(hub, request.param)
    yield request.param, found
    await found.client.close()


def access(broker: Broker, name: str) -> NatsAccess:
    return NatsAccess(
        parse_nats(broker.address), NatsCredentials(user=name, password=PASSWORDS[name])
    )


async def test_each_user_may_publish_and_subscribe_only_to_its_subjects(
    someone: tuple[str, User],
) -> None:
    name, connected = someone
    for subject, users in PUBLISH.items():
        before = await connected.refusals()
        await connected.client.publish(subject, b"")
        assert (await connected.refusals() > before) == (name not in users), subject
    for subject, users in SUBSCRIBE.items():
        before = await connected.refusals()
        await connected.client.subscribe(subject)
        assert (await connected.refusals() > before) == (name not in users), subject


def test_the_page_has_the_same_permissions() -> None:
    text = DOCS.read_text("utf-8")
    for what, table in (("publish", PUBLISH), ("subscribe", SUBSCRIBE)):
        for subject, users in table.items():
            marks = " | ".join("yes" if name in users else "" for name in (PUBLISHER, LEAF, NODE))
            row = f"| {what} | `{subject}` | {marks} |".replace("  ", " ")
            assert row in text.replace("  ", " "), row


async def test_a_node_follows_and_reports_but_cannot_write_through_a_consumer(
    hub: Broker, primary: Primary
) -> None:
    async with publishing(primary, access(hub, PUBLISHER)), following(access(hub, NODE)) as node:
        await until(lambda: node.store.is_replica)
        await primary.put("192.0.2.1")
        await until(lambda: node.store.revision == primary.store.revision)
        await node.source.report(Report(2, "nginx", 2, "", "SIN"))
        assert "node-1" in primary.reports
        before = len(await stored(access(hub, PUBLISHER)))
        thief = await user(hub, NODE)
        streams = thief.client.jetstream()
        for stream, target in (
            ("ORIGINMAP", "ORIGINMAP.zone.x"),
            ("OBJ_ORIGINMAP", "ORIGINMAP.zone.x"),
            ("ORIGINMAP", "$O.ORIGINMAP.M.x"),
        ):
            config = ConsumerConfig(deliver_subject=target, ack_policy=AckPolicy.NONE)
            with contextlib.suppress(nats.js.errors.BadRequestError):  # it forms a cycle
                await streams.add_consumer(stream, config)
        await asyncio.sleep(0.5)
        assert len(await stored(access(hub, PUBLISHER))) == before
        await primary.put("192.0.2.2")
        await until(lambda: node.store.revision == primary.store.revision)
        await thief.client.close()


async def test_a_region_follows_the_copy_of_its_leaf_node(
    hub_and_leaf: tuple[Broker, Broker], primary: Primary
) -> None:
    hub, leaf = hub_and_leaf
    administrator = await user(leaf, "admin")
    async with publishing(primary, access(hub, PUBLISHER)):
        for file in ("mirror-changes.json", "mirror-snapshots.json"):
            text = (DEPLOY / file).read_bytes()
            subject = f"$JS.API.STREAM.CREATE.{json.loads(text)['name']}"
            answer = await administrator.client.request(subject, text, 5)
            assert "error" not in json.loads(answer.data)
        await administrator.client.close()
        async with following(access(leaf, NODE)) as node:
            await until(lambda: node.store.epoch == primary.store.epoch)
            await primary.put("192.0.2.1")
            await until(lambda: node.store.revision == primary.store.revision)
            await until(lambda: node.replication.age < 5)
            await node.source.report(Report(2, "nginx", 2, "", "SIN"))
    assert "node-1" in primary.reports
    other = Primary()
    await other.furnish()
    async with (
        publishing(other, access(hub, PUBLISHER), StreamLimits(1_000, 1)),
        following(access(leaf, NODE), node.store) as node,
    ):
        await until(lambda: node.store.epoch == other.store.epoch)
