"""API tokens through PyPI's `cloudflare`: those of a user and those of an account."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import cloudflare
import pytest

from tests.clients.python_client import (
    BY_KEY,
    BY_TOKEN,
    Client,
    every,
    opened,
    reasons,
    refusal_of,
    settled,
)
from tests.process import ZONE, Server

READ = "517b21aee92c4d89936c976ba6e4be55"
WRITE = "3030687196b94b638145a3953da2b699"
ON_THE_ZONE = {f"com.cloudflare.api.account.zone.{ZONE}": "*"}
STRICT = {"_strict_response_validation": True, "max_retries": 0}


def policy(*groups: str, effect: str = "allow") -> dict[str, Any]:
    return {
        "effect": effect,
        "permission_groups": [{"id": group} for group in groups],
        "resources": ON_THE_ZONE,
    }


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
async def client(
    emptied: Server, kind: type[Client], request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    async with opened(kind, emptied.api, **STRICT, **request.param) as client:
        yield client


@pytest.fixture(params=["user", "account"])
def owner(request: pytest.FixtureRequest) -> str:
    """The owner of the tokens."""
    return request.param


@pytest.fixture
def tokens(client: Client, owner: str) -> Any:
    """The resource of the owner's tokens."""
    return client.user.tokens if owner == "user" else client.accounts.tokens


@pytest.fixture
def whose(owner: str) -> dict[str, str]:
    """The common arguments of all calls of the resource."""
    return {} if owner == "user" else {"account_id": ZONE}


@pytest.mark.proves("P-TOKEN-1", "P-TOKEN-3", "P-TOKEN-12", "P-TOKEN-14", "D-43", "D-45", "D-48")
async def test_a_token_can_be_created_used_and_deleted(
    emptied: Server, kind: type[Client], tokens: Any, whose: dict[str, str]
) -> None:
    made = await settled(tokens.create(name="deploy", policies=[policy(WRITE)], **whose))
    assert (len(made.value), made.status) == (40, "active")
    async with opened(kind, emptied.api, api_token=made.value, **STRICT) as with_it:
        assert await works(with_it)
        verified = await settled(verification(with_it, whose))
        assert (verified.id, verified.status) == (made.id, "active")

        read = await settled(tokens.get(made.id, **whose))
        assert read.to_dict() == {
            name: value for name, value in made.to_dict().items() if name != "value"
        }
        changed = await settled(
            tokens.update(
                made.id, name="paused", policies=[policy(READ)], status="disabled", **whose
            )
        )
        assert (changed.name, changed.status) == ("paused", "disabled")
        assert [group.name for group in changed.policies[0].permission_groups] == [
            "Zone Settings Read"
        ]
        caught = await refusal_of(lambda: with_it.zones.list())
        assert (type(caught), reasons(caught)) == (
            cloudflare.AuthenticationError, [(10000, "Authentication error")],
        )  # fmt: skip
        assert (await settled(verification(with_it, whose))).status == "disabled"
    assert (await settled(tokens.delete(made.id, **whose))).id == made.id
    gone = await refusal_of(lambda: tokens.get(made.id, **whose))
    assert (type(gone), reasons(gone)) == (cloudflare.NotFoundError, [(1003, "Token not found")])


@pytest.mark.proves("P-AUTH-7", "P-AUTH-8", "P-TOKEN-5", "D-32")
async def test_a_rolled_token_works_with_the_new_secret_only(
    emptied: Server, kind: type[Client], tokens: Any, whose: dict[str, str]
) -> None:
    made = await settled(tokens.create(name="roll", policies=[policy(READ)], **whose))
    secret = await settled(tokens.value.update(made.id, **whose))
    assert (len(secret), secret != made.value) == (40, True)
    async with opened(kind, emptied.api, api_token=secret, **STRICT) as with_new:
        assert await works(with_new)
    async with opened(kind, emptied.api, api_token=made.value, **STRICT) as with_old:
        caught = await refusal_of(lambda: verification(with_old, whose))
        assert (type(caught), reasons(caught)) == (
            cloudflare.AuthenticationError, [(1000, "Invalid API Token")],
        )  # fmt: skip
        caught = await refusal_of(lambda: with_old.zones.list())
        assert (type(caught), reasons(caught)) == (
            cloudflare.PermissionDeniedError, [(9109, "Invalid access token")],
        )  # fmt: skip
    await settled(tokens.delete(made.id, **whose))


@pytest.mark.proves("P-TOKEN-7", "P-TOKEN-8")
async def test_limits_are_returned_unchanged(tokens: Any, whose: dict[str, str]) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    made = await settled(
        tokens.create(
            name="limited",
            policies=[policy(WRITE), policy(WRITE, effect="deny")],
            not_before=soon,
            expires_on=soon + timedelta(days=1),
            condition={"request_ip": {"in": ["192.0.2.0/24"], "not_in": ["192.0.2.7/32"]}},
            **whose,
        )
    )
    assert (made.not_before, made.expires_on) == (soon, soon + timedelta(days=1))
    assert made.condition.request_ip.in_ == ["192.0.2.0/24"]
    assert made.condition.request_ip.not_in == ["192.0.2.7/32"]
    assert [each.effect for each in made.policies] == ["allow", "deny"]
    await settled(tokens.delete(made.id, **whose))


@pytest.mark.proves("P-AUTH-10")
async def test_a_token_for_another_address_gets_the_reason(
    emptied: Server, kind: type[Client], tokens: Any, whose: dict[str, str]
) -> None:
    limits = {"request_ip": {"in": ["192.0.2.0/24"]}}
    made = await settled(
        tokens.create(name="away", policies=[policy(READ)], condition=limits, **whose)
    )
    async with opened(kind, emptied.api, api_token=made.value, **STRICT) as with_it:
        for call in (lambda: with_it.zones.list(), lambda: verification(with_it, whose)):
            caught = await refusal_of(call)
            where = "Cannot use the access token from location: 127.0.0.1"
            assert reasons(caught) == [(9109, where)]
    await settled(tokens.delete(made.id, **whose))


@pytest.mark.proves("P-TOKEN-10")
async def test_tokens_are_paged_through(tokens: Any, whose: dict[str, str]) -> None:
    before = [token.id for token in await every(tokens.list(**whose))]
    made = [
        await settled(tokens.create(name=f"t{number}", policies=[policy(READ)], **whose))
        for number in range(5)
    ]
    ids = [token.id for token in made]
    assert [token.id for token in await every(tokens.list(per_page=2, **whose))] == before + ids
    backwards = await every(tokens.list(per_page=2, direction="desc", **whose))
    assert [token.id for token in backwards] == [*reversed(ids), *reversed(before)]
    for token in made:
        await settled(tokens.delete(token.id, **whose))


@pytest.mark.proves("P-TOKEN-11")
async def test_permission_groups_are_listed(tokens: Any, whose: dict[str, str]) -> None:
    every_group = await every(tokens.permission_groups.list(**whose))
    assert len(every_group) > 300
    (found,) = await every(tokens.permission_groups.list(name="Zone Settings Write", **whose))
    assert (found.id, found.scopes) == (WRITE, ["com.cloudflare.api.account.zone"])


@pytest.mark.proves("P-TOKEN-9")
async def test_invalid_tokens_cannot_be_created(tokens: Any, whose: dict[str, str]) -> None:
    zone = {f"com.cloudflare.api.account.zone.{'0' * 32}": "*"}
    for sent, code in [
        ({"name": "", "policies": [policy(READ)]}, 400),
        ({"name": "x" * 121, "policies": [policy(READ)]}, 400),
        ({"name": "x", "policies": []}, 400),
        ({"name": "x", "policies": [policy("0" * 32)]}, 1001),
    ]:
        caught = await refusal_of(lambda: tokens.create(**sent, **whose))  # noqa: B023
        assert (type(caught), caught.errors[0].code) == (cloudflare.BadRequestError, code)
    nowhere = {**policy(READ), "resources": zone}
    caught = await refusal_of(lambda: tokens.create(name="x", policies=[nowhere], **whose))
    assert caught.errors[0].code in (400, 9109)  # 9109: an account token outside its account


@pytest.mark.proves("P-TOKEN-2", "P-TOKEN-13")
async def test_each_token_is_verified_by_the_route_of_its_owner(
    emptied: Server, kind: type[Client], tokens: Any, owner: str, whose: dict[str, str]
) -> None:
    made = await settled(tokens.create(name="v", policies=[policy(READ)], **whose))
    elsewhere = {"account_id": ZONE} if owner == "user" else {}
    async with opened(kind, emptied.api, api_token=made.value, **STRICT) as with_it:
        raw = (with_it.accounts if whose else with_it.user).tokens.with_raw_response
        answer = (await settled(raw.verify(**whose))).http_response.json()
        assert [message["code"] for message in answer["messages"]] == [10000]
        caught = await refusal_of(lambda: verification(with_it, elsewhere))
        assert reasons(caught) == [(1000, "Invalid API Token")]
    await settled(tokens.delete(made.id, **whose))


def verification(client: Client, whose: dict[str, str]) -> Any:
    """The client's own token, verified at the route of its owner."""
    return (client.accounts if whose else client.user).tokens.verify(**whose)


async def works(client: Client) -> bool:
    """Whether the client may read the zone's mappings."""
    await settled(client.cache.origin_cloud_regions.list(zone_id=ZONE))
    return True
