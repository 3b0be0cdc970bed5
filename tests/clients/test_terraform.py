"""The acceptance test of Terraform's `cloudflare_origin_cloud_region`, ported to the SDK.

The provider below uses the API like terraform-provider-cloudflare: PUT to create and to update, the
address as ID, a 404 on read removes the resource from the state, and a 404 on delete is an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare

from tests.clients.python_client import BY_TOKEN
from tests.process import ZONE, Server

ALSO_BEHIND_PROXY = True


@dataclass(frozen=True)
class Config:
    """The content of a user's resource block."""

    origin_ip: str
    vendor: str = "aws"
    region: str = "us-east-1"
    zone_id: str = ZONE


@dataclass(frozen=True)
class State:
    """Terraform's state of a resource."""

    config: Config
    modified_on: datetime

    @property
    def id(self) -> str:
        return self.config.origin_ip


class Action(Enum):
    """The action of a plan for a resource."""

    NOTHING = auto()
    CREATE = auto()
    UPDATE = auto()
    REPLACE = auto()


class Provider:
    """The five functions of a resource, and plan and apply like Terraform's core."""

    def __init__(self, client: Cloudflare) -> None:
        self._regions = client.cache.origin_cloud_regions

    def create(self, config: Config) -> State:
        entry = self._regions.update(
            config.origin_ip,
            zone_id=config.zone_id,
            body_origin_ip=config.origin_ip,
            vendor=config.vendor,
            region=config.region,
        )
        return _state(config.zone_id, entry)

    update = create

    def read(self, state: State) -> State | None:
        try:
            return self.import_(f"{state.config.zone_id}/{state.id}")
        except cloudflare.NotFoundError:
            return None

    def delete(self, state: State) -> None:
        self._regions.delete(state.id, zone_id=state.config.zone_id)

    def import_(self, import_id: str) -> State:
        zone_id, origin_ip = import_id.split("/", 1)
        return _state(zone_id, self._regions.get(origin_ip, zone_id=zone_id))

    def plan(self, state: State | None, config: Config) -> Action:
        """Refresh, then compare; an address cannot change in place."""
        found = state and self.read(state)
        if found is None:
            return Action.CREATE
        if found.config == config:
            return Action.NOTHING
        return Action.UPDATE if found.id == config.origin_ip else Action.REPLACE

    def apply(self, state: State | None, config: Config) -> State:
        action = self.plan(state, config)
        if action is Action.NOTHING:
            return state
        if action is Action.REPLACE:
            self.delete(state)
        return self.create(config)


def _state(zone_id: str, entry: Any) -> State:
    return State(Config(entry.origin_ip, entry.vendor, entry.region, zone_id), entry.modified_on)


@pytest.fixture
def provider(emptied: Server) -> Iterator[Provider]:
    with Cloudflare(base_url=emptied.api, **BY_TOKEN) as client:
        yield Provider(client)


BASIC = Config("192.0.2.1")


@pytest.mark.proves("P-GEN-8", "P-PUT-7")
def test_a_created_mapping_reads_as_written(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    assert created.config == BASIC
    assert created.modified_on is not None
    assert provider.read(created) == created


@pytest.mark.proves("P-PUT-2")
def test_the_plan_after_a_create_is_empty(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    assert provider.plan(created, BASIC) is Action.NOTHING


@pytest.mark.proves("P-PUT-1")
def test_a_region_changes_in_place(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    west = Config("192.0.2.1", region="us-west-2")
    assert provider.plan(created, west) is Action.UPDATE
    updated = provider.apply(created, west)
    assert updated.config == west
    assert updated.modified_on > created.modified_on
    assert provider.plan(updated, west) is Action.NOTHING


@pytest.mark.proves("P-PUT-1")
def test_a_vendor_changes_in_place(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    moved = Config("192.0.2.1", "gcp", "us-central1")
    assert provider.plan(created, moved) is Action.UPDATE
    assert provider.apply(created, moved).config == moved


@pytest.mark.proves("P-PUT-7")
def test_an_import_by_zone_and_address_gives_the_same_state(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    assert provider.import_(f"{ZONE}/192.0.2.1") == created


def test_an_import_of_a_missing_resource_fails(provider: Provider) -> None:
    with pytest.raises(cloudflare.NotFoundError):
        provider.import_(f"{ZONE}/192.0.2.1")


@pytest.mark.proves("P-PUT-7")
def test_an_ipv6_origin_has_an_empty_plan_too(provider: Provider) -> None:
    config = Config("2001:db8::1", "gcp", "us-central1")
    created = provider.apply(None, config)
    assert created.config == config
    assert provider.plan(created, config) is Action.NOTHING
    assert provider.import_(f"{ZONE}/2001:db8::1") == created


@pytest.mark.proves("P-PUT-7")
def test_another_address_deletes_before_it_creates(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    other = Config("192.0.2.2")
    assert provider.plan(created, other) is Action.REPLACE
    assert provider.apply(created, other).config == other
    assert provider.read(created) is None


def test_a_deleted_resource_is_created_again(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    provider.delete(created)
    assert provider.read(created) is None
    assert provider.plan(created, BASIC) is Action.CREATE
    made_anew = provider.apply(created, BASIC)
    assert made_anew.config == BASIC
    assert made_anew.modified_on > created.modified_on


@pytest.mark.proves("P-DEL-2")
def test_a_second_delete_is_an_error(provider: Provider) -> None:
    created = provider.apply(None, BASIC)
    provider.delete(created)
    with pytest.raises(cloudflare.NotFoundError):
        provider.delete(created)


def test_an_unknown_vendor_fails_at_apply_and_leaves_no_state(provider: Provider) -> None:
    with pytest.raises(cloudflare.BadRequestError):
        provider.apply(None, Config("192.0.2.1", "badvendor"))
    assert provider.plan(None, BASIC) is Action.CREATE
    with pytest.raises(cloudflare.NotFoundError):
        provider.import_(f"{ZONE}/192.0.2.1")
