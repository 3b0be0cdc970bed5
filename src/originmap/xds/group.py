"""The resources of all nodes that get the same ones, kept up to date with the store.

After a change only the zones that it concerns are read again. A group that a rollout holds at an
earlier revision is rendered once.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple
from weakref import WeakValueDictionary

from originmap.domain.errors import HistoryGone, InvalidExport, StoreError
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Mapping
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import Endpoints, read
from originmap.export.envoy import CLUSTER_TYPE, ENDPOINTS_TYPE, HOST_TYPE, ROUTES, ROUTES_TYPE
from originmap.export.node import Node
from originmap.service.access.directory import Directory
from originmap.service.export.exports import Exports, zone_parts
from originmap.service.rollout.past_state import released_snapshot
from originmap.service.rollout.release import read_release
from originmap.service.turns import Turns
from originmap.store.port import Store
from originmap.xds import resources
from originmap.xds.resources import TYPES, Resource

_PAUSE_SECONDS = 0.005


class ResourceSelection(NamedTuple):
    """What determines the resources of a node: its colo, the IDs of its zones in order, the
    addresses of upper tiers in the form of `export.endpoint.read`, and the revision that a rollout
    holds it at, None for the newest."""

    colo: str | None
    zones: tuple[str, ...]
    upstreams: tuple[str, ...]
    at: int | None


class Sources(NamedTuple):
    """The services that resources are made of."""

    store: Store
    directory: Directory
    exports: Exports
    turns: Turns


class Round(NamedTuple):
    """What was read and rendered in one update of all groups, for those that need the same: most
    colos fill from the same upper tiers."""

    samples: dict[str, list[Mapping]]
    """A mapping for each region in a zone, by the zone's ID."""
    hosts: dict[object, Resource]
    """Virtual hosts by what they depend on."""


class ResourceGroup:
    """The resources of one selection."""

    def __init__(
        self,
        selection: ResourceSelection,
        sources: Sources,
        shared: WeakValueDictionary[tuple[str, str], Resource],
        before: "ResourceGroup | None" = None,
    ) -> None:
        """`shared` has the resources of all groups by name and version: most colos have equal
        ones. `before` is a group of the same colo with other zones."""
        self._selection = selection
        self._store, self._directory, self._exports, self._turns = sources
        self._shared = shared
        self.of_type: dict[str, dict[str, Resource]] = {type_url: {} for type_url in TYPES}
        """The resources of each type by name."""
        self.revision: int | None = None
        """The revision of the resources; None before the first are complete."""
        self.problem = ""
        """Why the resources are not those of the newest revision; "" if they are."""
        self._node: Node | None = None
        self._tiers: Tiers | None = None
        self._complete: dict[str, dict[str, Resource]] | None = None
        if before is not None and not before.problem and before.newest and self.newest:
            self._node, self._tiers, self.of_type = before._node, before._tiers, before.of_type

    @cached_property
    def _endpoints(self) -> Endpoints:
        """The addresses of upper tiers, parsed once. Raises InvalidExport."""
        return read(self._selection.upstreams)

    @property
    def newest(self) -> bool:
        """Whether the resources are those of the newest revision."""
        return self._selection.at is None

    async def update(self, zones: Collection[str] | None, round_: Round) -> None:
        """Bring the resources up to date after changes to these zones, or to anything if None. If
        that fails, they stay as they are, and `problem` says why."""
        try:
            if self._selection.at is not None:
                if self.revision is None:
                    await self._render_past(self._selection.at)
            else:
                await self._render(None if self.problem else zones, round_)
            self.problem = ""
        except (InvalidExport, HistoryGone, StoreError) as error:
            self.problem = f"{error}: {error.hint}" if error.hint else str(error)

    def found(self, *, incremental: bool) -> dict[str, dict[str, Resource]]:
        """The resources by type and name. Without the incremental protocol the route configuration
        has all virtual hosts in it."""
        if incremental or self._node is None:
            return self.of_type
        if self._complete is None:
            hosts = self.of_type[HOST_TYPE]
            ordered = [hosts[name] for name in sorted(hosts)]
            complete = resources.complete_configuration(self._node, ordered)
            self._complete = {**self.of_type, ROUTES_TYPE: {ROUTES: complete}}
        return self._complete

    async def _render(self, changed: Collection[str] | None, round_: Round) -> None:
        """Render the changed zones, all if None, as of the newest revision."""
        tiers = await self._exports.tiers_at_hand()
        reached = self._store.revision
        zones = [z for z in map(self._directory.zone, self._selection.zones) if z is not None]
        before, node = self._node, self._node
        if node is None or self._tiers is not tiers or node.zones != tuple(zones):
            node = self._exports.node(zones, self._selection.colo, self._endpoints)
            node.check_endpoints()
        due = self._due(node, changed)
        hosts = dict(self.of_type[HOST_TYPE])
        found = {} if before is node else self._fixed(node)
        writer = resources.of_hosts(node)
        for zone in node.zones:
            if zone.id in due:
                await self._turns.next()
                host = await self._host(node, zone, writer, round_)
                self._put(hosts, resources.host_name(zone.name), host)
        names = {resources.host_name(zone.name) for zone in node.zones}
        found[HOST_TYPE] = {name: host for name, host in hosts.items() if name in names}
        self._tiers = tiers
        self._publish(node, found, reached)

    def _due(self, node: Node, changed: Collection[str] | None) -> set[str]:
        """The IDs of the zones to render."""
        before, rendered = self._node, self.of_type[HOST_TYPE]
        moved = before is None or (
            before is not node and before.shared_identity() != node.shared_identity()
        )
        if moved or changed is None:
            return {zone.id for zone in node.zones}
        new = (z.id for z in node.zones if resources.host_name(z.name) not in rendered)
        return {*changed, *new}

    async def _host(
        self, node: Node, zone: Zone, writer: resources.Hosts, round_: Round
    ) -> Resource:
        """The virtual host of a zone, which depends on the chain of each of its regions."""
        mappings: Sequence[Mapping] | None = None
        if zone.id not in round_.samples:
            mappings = await self._mappings(zone.id)
            by_place = {mapping.place: mapping for mapping in mappings}
            round_.samples[zone.id] = list(by_place.values())
        sample = node.part(zone, round_.samples[zone.id])
        own = node.own if node.hashed or zone.pools else None
        chains = (*(row.chain for row in sample.rows), sample.default)
        hubs = tuple(map(node.through_hub, chains))
        key = (zone, chains, hubs, node.hash_key if node.hashed else None, own)
        if key not in round_.hosts:
            if mappings is None:
                mappings = await self._mappings(zone.id)
            round_.hosts[key] = writer.of(node.part(zone, mappings))
        return round_.hosts[key]

    async def _mappings(self, zone_id: str) -> Sequence[Mapping]:
        """The mappings of a zone, at a revision whose rollout is known: another process may have
        held the nodes before it changed a mapping."""
        while True:
            page = await self._store.page(zone_id, 0, MAX_MAPPINGS)
            if page.revision <= self._store.revision:
                return page.mappings
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _render_past(self, at: int) -> None:
        """Render everything as of an earlier revision."""
        async with contextlib.aclosing(released_snapshot(self._store, at)) as parts:
            release = await read_release(parts)
            wanted = set(self._selection.zones)
            zones = [zone for zone in release.zones if zone.id in wanted]
            node = self._exports.past_node(release, zones, self._selection.colo, self._endpoints)
            node.check_endpoints()
            hosts: dict[str, Resource] = {}
            writer = resources.of_hosts(node)
            async for part in zone_parts(node, release.mappings):
                await self._turns.next()
                self._put(hosts, resources.host_name(part.name), writer.of(part))
            self._publish(node, {**self._fixed(node), HOST_TYPE: hosts}, release.revision)

    def _fixed(self, node: Node) -> dict[str, dict[str, Resource]]:
        """The resources that do not depend on the mappings."""
        found = {
            CLUSTER_TYPE: resources.clusters(node),
            ENDPOINTS_TYPE: resources.endpoints(node),
            ROUTES_TYPE: {ROUTES: resources.route_configuration(node)},
        }
        for of_type in found.values():
            for name, resource in list(of_type.items()):
                self._put(of_type, name, resource)
        return found

    def _put(self, into: dict[str, Resource], name: str, resource: Resource) -> None:
        into[name] = self._shared.setdefault((name, resource.version), resource)

    def _publish(self, node: Node, found: dict[str, dict[str, Resource]], revision: int) -> None:
        self._node = node
        if any(self.of_type[type_url] != found[type_url] for type_url in found):
            self.of_type, self._complete = {**self.of_type, **found}, None
        self.revision = revision


def zones_of(zones: Iterable[Zone]) -> tuple[str, ...]:
    """The zones of a selection."""
    return tuple(sorted(zone.id for zone in zones))
