"""Zones, their settings, accounts, the user and the audit log through PyPI's `cloudflare`.

The client checks every response against its models (`_strict_response_validation`).
"""

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
    put,
    reasons,
    refusal_of,
    settled,
)
from tests.process import EMAIL, ZONE, Server

ACCOUNT = {"id": ZONE}
NO_ZONE = (9109, "Invalid zone identifier")
NO_ACCOUNT = (9109, "Invalid account identifier")


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
async def client(
    emptied: Server, kind: type[Client], request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    async with opened(
        kind, emptied.api, _strict_response_validation=True, **request.param
    ) as client:
        yield client


@pytest.fixture
async def zone(client: Client) -> AsyncIterator[Any]:
    """A zone for one test, deleted after it."""
    made = await settled(client.zones.create(name="shop.example", account=ACCOUNT))
    yield made
    await settled(client.zones.delete(zone_id=made.id))


async def names(client: Client, **query: Any) -> list[str]:
    return [zone.name for zone in await every(client.zones.list(**query))]


@pytest.mark.proves("P-ZONE-4", "P-ZONE-6", "P-ZONE-7")
async def test_a_zone_can_be_created_used_and_deleted(client: Client) -> None:
    made = await settled(client.zones.create(name="Shop.Example", account=ACCOUNT, type="partial"))
    assert (made.name, made.type, made.status, made.activated_on) == (
        "shop.example", "partial", "pending", None,
    )  # fmt: skip
    read = await settled(client.zones.get(zone_id=made.id))
    assert (read.status, read.paused, read.account.id) == ("active", False, ZONE)
    paused = await settled(client.zones.edit(zone_id=made.id, paused=True))
    assert (paused.paused, paused.modified_on > read.modified_on) == (True, True)
    typed = await settled(client.zones.edit(zone_id=made.id, type="full"))
    assert (typed.paused, typed.type) == (True, "full")
    assert (await settled(client.zones.delete(zone_id=made.id))).id == made.id
    gone = await refusal_of(lambda: client.zones.get(zone_id=made.id))
    assert (type(gone), reasons(gone)) == (cloudflare.PermissionDeniedError, [NO_ZONE])


async def test_deleting_a_zone_deletes_its_mappings(client: Client) -> None:
    regions = client.cache.origin_cloud_regions
    sent = {"body_origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    for _ in range(2):
        made = await settled(client.zones.create(name="again.example", account=ACCOUNT))
        assert await every(regions.list(zone_id=made.id)) == []
        await settled(regions.update("192.0.2.1", zone_id=made.id, **sent))
        await settled(client.zones.delete(zone_id=made.id))


@pytest.mark.proves("P-ZONE-1")
async def test_zones_are_found_by_filters_and_paged_through(client: Client) -> None:
    wanted = [f"z{number}.example" for number in range(7)]
    made = [await settled(client.zones.create(name=name, account=ACCOUNT)) for name in wanted]
    assert await names(client, per_page=3) == ["example.com", *wanted]
    assert await names(client, per_page=5, name="starts_with:Z") == wanted
    assert await names(client, name="Z3.example", per_page=1) == ["z3.example"]
    assert await names(client, direction="desc", order="name", name="ends_with:.example") == [
        *reversed(wanted)
    ]
    assert await names(client, status="moved") == []
    assert await names(client, account={"id": "0" * 32}) == []
    assert await names(client, name="z1.example", account={"name": "nobody"}, match="any") == [
        "z1.example"
    ]
    for zone in made:
        await settled(client.zones.delete(zone_id=zone.id))
    assert await names(client) == ["example.com"]


@pytest.mark.proves("P-ZONE-8")
async def test_invalid_zones_are_refused(client: Client) -> None:
    for name, account, error, reason in [
        ("example.com", ZONE, cloudflare.BadRequestError, (1061, "The zone already exists.")),
        ("nonsense", ZONE, cloudflare.BadRequestError, (1002, "Invalid domain")),
        ("a.example", "0" * 32, cloudflare.PermissionDeniedError, NO_ACCOUNT),
    ]:
        caught = await refusal_of(lambda: client.zones.create(name=name, account={"id": account}))  # noqa: B023
        assert (type(caught), reasons(caught)) == (error, [reason])


@pytest.mark.proves("P-ZONE-5")
async def test_two_changes_at_once_are_refused(client: Client, zone: Any) -> None:
    caught = await refusal_of(
        lambda: client.zones.edit(zone_id=zone.id, paused=True, type="partial")
    )
    assert (type(caught), caught.errors[0].code) == (cloudflare.BadRequestError, 1001)


@pytest.mark.proves("P-SUP-2", "P-SET-1")
async def test_tiered_cache_is_on_and_can_be_switched(client: Client, zone: Any) -> None:
    setting = client.argo.tiered_caching
    first = await settled(setting.get(zone_id=zone.id))
    assert first.to_dict() == {
        "id": "tiered_caching", "editable": True, "value": "on", "modified_on": None,
    }  # fmt: skip
    off = await settled(setting.edit(zone_id=zone.id, value="off"))
    assert (off.value, off.modified_on.tzinfo) == ("off", UTC)
    refused = await refusal_of(
        lambda: client.cache.origin_cloud_regions.supported_regions(zone_id=zone.id)
    )
    assert reasons(refused) == [(1135, "Tiered Cache must be enabled for this zone.")]
    await settled(setting.edit(zone_id=zone.id, value="on"))
    supported = await settled(client.cache.origin_cloud_regions.supported_regions(zone_id=zone.id))
    assert supported.obtained_codes


@pytest.mark.proves("P-SET-2")
async def test_smart_tiered_cache_always_exists(client: Client, zone: Any) -> None:
    setting = client.cache.smart_tiered_cache
    assert (await settled(setting.get(zone_id=zone.id))).value == "on"
    removed = await settled(setting.delete(zone_id=zone.id))
    assert (removed.id, hasattr(removed, "value")) == (
        "tiered_cache_smart_topology_enable", False,
    )  # fmt: skip
    assert (await settled(setting.get(zone_id=zone.id))).value == "off"
    assert (await settled(setting.create(zone_id=zone.id, value="on"))).value == "on"
    assert (await settled(setting.edit(zone_id=zone.id, value="off"))).value == "off"


@pytest.mark.proves("P-SET-3")
async def test_regional_tiered_cache_is_off_by_default(client: Client, zone: Any) -> None:
    setting = client.cache.regional_tiered_cache
    first = await settled(setting.get(zone_id=zone.id))
    assert (first.id, first.value, first.editable) == ("tc_regional", "off", True)
    assert (await settled(setting.edit(zone_id=zone.id, value="on"))).value == "on"
    assert (await settled(setting.get(zone_id=zone.id))).value == "on"


async def test_an_invalid_value_of_a_setting_is_refused(client: Client, zone: Any) -> None:
    for setting in (
        client.argo.tiered_caching,
        client.cache.smart_tiered_cache,
        client.cache.regional_tiered_cache,
    ):
        caught = await refusal_of(lambda: setting.edit(zone_id=zone.id, value="maybe"))  # noqa: B023
        assert reasons(caught) == [(1146, 'invalid value, must be "on" or "off"')]


@pytest.mark.proves("P-ACC-1")
async def test_accounts_and_the_user_can_be_read(client: Client) -> None:
    (account,) = await every(client.accounts.list(per_page=1))
    assert (account.id, account.name, account.type) == (ZONE, "Example", "standard")
    assert (await settled(client.accounts.get(account_id=ZONE))).to_dict() == account.to_dict()
    assert await every(client.accounts.list(name="nobody")) == []
    user = await settled(client.user.get())
    assert (user.email, [each.id for each in user.organizations]) == (EMAIL, [ZONE])
    caught = await refusal_of(lambda: client.accounts.get(account_id="0" * 32))
    assert (type(caught), reasons(caught)) == (cloudflare.PermissionDeniedError, [NO_ACCOUNT])


@pytest.mark.proves("P-ACC-2")
async def test_the_audit_log_lists_changes(client: Client) -> None:
    start = datetime.now(UTC) - timedelta(seconds=1)
    await put(client.cache.origin_cloud_regions, "192.0.2.1")
    await put(client.cache.origin_cloud_regions, "192.0.2.1", "gcp", "us-central1")
    last = await every(client.audit_logs.list(account_id=ZONE, since=start, per_page=1))
    update, add = last[:2]
    assert (update.action.type, add.action.type) == ("update", "add")
    assert (update.resource.type, update.resource.id) == ("origin_cloud_region", "192.0.2.1")
    assert (update.actor.email, update.actor.ip, update.actor.type) == (EMAIL, "127.0.0.1", "user")
    assert (add.old_value, '"us-east-1"' in add.new_value, update.old_value) == (
        "", True, add.new_value,
    )  # fmt: skip
    assert update.when > add.when > start
    filtered = client.audit_logs.list(
        account_id=ZONE, action={"type": "add"}, zone={"name": "example.com"}, since=start
    )
    assert {entry.action.type for entry in await every(filtered)} == {"add"}
    assert await every(client.audit_logs.list(account_id=ZONE, before="2026-01-01")) == []
    assert [one.id for one in await every(client.audit_logs.list(account_id=ZONE, id=add.id))] == [
        add.id
    ]
