"""Which credentials get a stream, what they see, and when a stream ends."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from originmap.domain.access.permissions import ALL_ZONES, COLO_PREFIX, ZONE_PREFIX, Group, group_id
from originmap.domain.access.token import Token
from originmap.domain.access.token_rules import create_token, revoke_token
from originmap.export.envoy import HOST_TYPE
from originmap.store.clock import wall_clock
from originmap.xds.wire import MOST_NAMES
from tests.api.matrix import CREDENTIALS, OTHER_ZONE, headers_of
from tests.builders import CAUSE, policy, token
from tests.xds.node_client import described
from tests.xds.world import World, opened_world

PAGE = Path(__file__).parents[2] / "docs" / "envoy.md"
NODE = {"node": described("n"), "type_url": HOST_TYPE}
EDGE = [group_id(Group.EDGE)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with opened_world(slow_guessing=False) as world:
        yield world


pytestmark = pytest.mark.asyncio(loop_scope="module")


def documented() -> dict[str, str]:
    """The status of each credential, from the table of the page."""
    rows = re.findall(r"^\| (.+?) \| `(\w+)` \|$", PAGE.read_text("utf-8"), re.M)
    return {name: status for names, status in rows for name in re.findall("`([a-z]+)`", names)}


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_each_credential_gets_the_status_in_the_documentation(
    world: World, credential: str
) -> None:
    header = headers_of(credential).get("Authorization", "").removeprefix("Bearer ")
    expected = documented()[credential]
    if expected != "OK":
        # A refused stream ends before the first request, or else after it.
        before = () if expected == "UNAUTHENTICATED" or credential == "away" else NODE
        status, text = await world.refusal(header, **dict(before))
        assert (status.name, bool(text)) == (expected, True)
        return
    async with world.node(header, name=f"of-{credential}") as node:
        await node.until(node.is_complete, "all resources")


async def add(world: World, made: Token) -> None:
    await world.store.write_records(create_token(made), CAUSE)


async def test_a_denied_zone_is_not_sent(world: World) -> None:
    allowed, denied = (
        policy(True, [ALL_ZONES], EDGE),
        policy(False, [ZONE_PREFIX + OTHER_ZONE], EDGE),
    )
    await add(world, token("denied", allowed, denied))
    async with world.node("secret-denied", name="denied") as node:
        await node.complete()
        assert node.hosts() == ["example.com", "example.net"]
        await world.change("example.org")
        await world.change("example.com")
        await node.waits_for((HOST_TYPE, ["originmap/example.com"]))
    named = {**NODE, "node": described("denied", zone=["example.org"])}
    assert (await world.refusal("secret-denied", **named))[0] is grpc.StatusCode.PERMISSION_DENIED


async def test_a_token_of_a_colo_serves_nodes_in_that_colo(world: World) -> None:
    await add(world, token("fra", policy(True, [ALL_ZONES, COLO_PREFIX + "FRA"], EDGE)))
    async with world.node("secret-fra", name="fra", colo="FRA") as node:
        await node.complete()
    status, text = await world.refusal("secret-fra", **NODE)
    assert status is grpc.StatusCode.PERMISSION_DENIED
    assert "not for colo SIN" in text


async def test_a_revoked_token_ends_its_streams(world: World) -> None:
    made = token("revoked", policy(True, [ALL_ZONES], EDGE))
    await add(world, made)
    async with world.node("secret-revoked", name="revoked") as node, world.node() as other:
        await node.complete()
        await other.complete()
        await world.store.write_records(revoke_token(made.id), CAUSE)
        status, text = await node.ended()
        assert (status, text) == (
            grpc.StatusCode.UNAUTHENTICATED, "the token was revoked, changed or has expired",
        )  # fmt: skip
        await world.change("example.com")
        await other.waits_for((HOST_TYPE, ["originmap/example.com"]))


async def test_an_expired_token_ends_its_streams(world: World) -> None:
    made = token("short", policy(True, [ALL_ZONES], EDGE))
    await add(world, replace(made, expires_on=wall_clock() + 1_500_000))
    async with world.node("secret-short", name="short") as node:
        await node.complete()
        assert (await node.ended())[0] is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"node": described("")}, "node.id"),
        ({"node": described("a b")}, "node.id"),
        ({"node": described("n", upstreams=["x"])}, "no member 'upstreams'"),
        ({"node": described("n", zone="example.com")}, "must be a list"),
        ({"node": described("n", upstream=["x"] * (MOST_NAMES + 1))}, "more than 20,000 texts"),
        ({"node": described("n", zone=["x"] * (MOST_NAMES + 1))}, "more than 20,000 texts"),
        ({"node": described("n"), "type_url": "x.Listener"}, "no resources of type"),
        (
            {
                "node": described("n"),
                "type_url": HOST_TYPE,
                "resource_names_subscribe": ["x"] * (MOST_NAMES + 1),
            },
            "more than 20,000 resource names",
        ),
        (
            {
                "node": described("n"),
                "type_url": HOST_TYPE,
                "resource_names_subscribe": ["x" * 301],
            },
            "more than 300 characters",
        ),
    ],
)
async def test_an_invalid_request_is_refused(
    world: World, members: dict[str, object], text: str
) -> None:
    status, found = await world.refusal("secret-edge", **members)
    assert status is grpc.StatusCode.INVALID_ARGUMENT
    assert text in found


async def test_a_request_of_more_than_4_mib_is_refused(world: World) -> None:
    names = ["x" * 300] * 15_000
    status, _ = await world.refusal(
        "secret-edge", node=described("n"), resource_names_subscribe=names
    )
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
