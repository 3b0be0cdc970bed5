"""A request whose credential is revoked while its body arrives is not executed."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from originmap.domain.access.permissions import (
    ALL_ACCOUNTS,
    ALL_ZONES,
    USER_PREFIX,
    Group,
    group_id,
)
from originmap.service.initial_data import DEV_ID
from tests.process import ZONE
from tests.real.inprocess import InProcess
from tests.real.server.probe import BATCH, ITEM, ONE
from tests.real.server.wire import Connection, request

TOKENS = "/client/v4/user/tokens"
GROUPS = [{"id": group_id(group)} for group in Group if group not in (Group.EDGE, Group.REPLICATE)]
ALL = {ALL_ZONES: "*", ALL_ACCOUNTS: "*", USER_PREFIX + DEV_ID: "*"}
GONE = [(401, 10000), (403, 9109)]
"""The errors for an unknown token on the routes of mappings and of accounts."""


def policies(groups: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [{"effect": "allow", "resources": ALL, "permission_groups": groups}]


WRITES = {
    "a mapping": ("PUT", ONE, ITEM),
    "a batch": ("PUT", BATCH, [ITEM]),
    "a setting": ("PATCH", f"/client/v4/zones/{ZONE}/argo/tiered_caching", {"value": "off"}),
    "a zone": (
        "POST",
        "/client/v4/zones",
        {"name": "late.example", "account": {"id": DEV_ID}},
    ),
    "a token": ("POST", TOKENS, {"name": "late", "policies": policies(GROUPS[:1])}),
    "the latencies": ("PUT", "/originmap/v1/latencies", []),
    "a topology": ("PATCH", "/originmap/v1/topology", {"states": {"IAD": "down"}}),
}


@pytest.fixture
async def honest(server: InProcess) -> AsyncIterator[Connection]:
    async with Connection(server.url) as connection:
        yield connection


async def new_token(honest: Connection) -> tuple[str, dict[str, str]]:
    """The ID of a token with full access, and its header."""
    made = await honest.ask("POST", TOKENS, {"name": "t", "policies": policies(GROUPS)})
    return made.result["id"], {"Authorization": f"Bearer {made.result['value']}"}


async def begin(
    late: Connection, method: str, path: str, body: Any, headers: Mapping[str, str]
) -> bytes:
    """Send a request up to the middle of its body; return the rest. The server requests the body
    after it has checked the credential.
    """
    whole = request(method, path, body, {**headers, "Expect": "100-continue"})
    head, _, content = whole.partition(b"\r\n\r\n")
    await late.send(head + b"\r\n\r\n")
    assert (await late.answer()).status == 100
    await late.send(content[:1])
    return content[1:]


@pytest.mark.parametrize("name", WRITES)
async def test_a_token_revoked_while_a_body_arrives_cannot_write(
    server: InProcess, honest: Connection, name: str
) -> None:
    id_, headers = await new_token(honest)
    async with Connection(server.url) as late:
        rest = await begin(late, *WRITES[name], headers)
        assert (await honest.ask("DELETE", f"{TOKENS}/{id_}")).status == 200
        before = await changes(honest)
        await late.send(rest)
        assert (await late.answer()).refusal in GONE
    assert await changes(honest) == before


async def test_rights_are_checked_again_after_the_body_has_arrived(
    server: InProcess, honest: Connection
) -> None:
    id_, headers = await new_token(honest)
    async with Connection(server.url) as late, Connection(server.url) as later:
        put = await begin(late, "PUT", ONE, ITEM, headers)
        post = await begin(later, *WRITES["a zone"], headers)
        reader = {"name": "t", "policies": policies([{"id": group_id(Group.ZONE_READ)}])}
        assert (await honest.ask("PUT", f"{TOKENS}/{id_}", reader)).status == 200
        await late.send(put)
        assert (await late.answer()).refusal == (403, 10000)
        await later.send(post)
        assert (await later.answer()).refusal == (403, 10000)
    assert (await honest.ask("GET", ONE)).status == 404


async def test_a_renamed_token_continues_to_work(server: InProcess, honest: Connection) -> None:
    id_, headers = await new_token(honest)
    async with Connection(server.url) as late:
        rest = await begin(late, "PUT", ONE, ITEM, headers)
        renamed = {"name": "another", "policies": policies(GROUPS)}
        assert (await honest.ask("PUT", f"{TOKENS}/{id_}", renamed)).status == 200
        await late.send(rest)
        assert (await late.answer()).status == 200


async def changes(honest: Connection) -> list[str]:
    """The IDs of the last changes."""
    answer = await honest.ask("GET", f"/client/v4/accounts/{DEV_ID}/audit_logs")
    return [entry["id"] for entry in answer.result]
