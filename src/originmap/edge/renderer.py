"""Renders the files of all caches of a node from one state, in one pass over the mappings."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from originmap.domain.errors import ZoneNotFound
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Place
from originmap.domain.mapping.own_regions import OwnRegions, merged
from originmap.domain.tier.latency import Fresh, fresh
from originmap.domain.tier.tier import Tiers
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Zone
from originmap.edge import disk
from originmap.edge.errors import CannotWrite
from originmap.edge.name_lookup import NameLookup
from originmap.edge.release import released
from originmap.edge.render.delta import RevisionDelta, delta_since
from originmap.edge.render.output import CompleteFile, Output, Version
from originmap.edge.render.spare import Spares
from originmap.edge.render.update import (
    AddressUpdate,
    Replaced,
    WinningRows,
    ZoneUpdate,
    update_of,
)
from originmap.export.endpoint import Endpoints
from originmap.export.format import AddressWriter, File
from originmap.export.node import Node
from originmap.service.export.exports import zone_parts
from originmap.service.rollout.release import Release
from originmap.store.clock import Now
from originmap.store.port import Store

FilesOf = Callable[[Node], Mapping[Path, File]]
"""The files of a node, by path."""

_MINUTE = 60_000_000
_ATTEMPTS = 3
"""Snapshots to open until nothing is committed between finding the difference and the snapshot."""


@dataclass(frozen=True, slots=True)
class Standpoint:
    """The operator's settings of the node: its name, its colo, its zones by ID or name (all if
    empty), and the addresses of the upper tiers."""

    name: str
    colo: str | None
    zones: Sequence[str]
    endpoints: Endpoints


@dataclass(frozen=True, slots=True)
class Rendered:
    """The rendered files of one revision by path, and the node as it was then. `digests` has the
    SHA-256 of each; it is empty for an update, which wrote the files in `updated` only, with what
    differs from their last version. `versions` is what the next update needs.

    `expires` is when they may change without a committed change, because a latency measurement
    expires: microseconds since 1970 UTC."""

    epoch: str
    generation: int
    """See `Store.generation`."""
    revision: int
    node: Node
    digests: Mapping[Path, str]
    expires: int | None
    updated: Mapping[Path, Sequence[Replaced]] | None = None
    versions: Mapping[Path, Version] = field(default_factory=dict)

    @property
    def paths(self) -> Set[Path]:
        """All files."""
        return self.digests.keys() | self.versions.keys()

    def wrote(self, path: Path) -> bool:
        """Whether there is a new file at this path."""
        return path in (self.digests if self.updated is None else self.updated)


class _Base(NamedTuple):
    """The last files, if they are in place: that path of each, and its mark."""

    rendered: Rendered
    shared: tuple[object, ...]
    places: Mapping[Path, Path]
    marks: Mapping[Path, str]

    @property
    def by_address(self) -> bool:
        """Whether a file is sorted by address."""
        versions = self.rendered.versions.values()
        return any(isinstance(version.writer, AddressWriter) for version in versions)

    def unchanged(self) -> bool:
        """Whether the files are in place as they were written."""
        return all(disk.mark_of(self.places[path]) == mark for path, mark in self.marks.items())


class Renderer:
    """Renders for one node."""

    def __init__(
        self,
        store: Store,
        standpoint: Standpoint,
        catalogue: Catalogue,
        topology: Topology,
        now: Now,
        names: NameLookup | None = None,
    ) -> None:
        """`topology` is the default until the operator sets one; `names` resolves the hostnames of
        upper tiers, if a cache needs their addresses."""
        self._store = store
        self._standpoint = standpoint
        self._catalogue = catalogue
        self._topology = topology
        self._now = now
        self._names = names
        self._last: tuple[Topology, Fresh, OwnRegions, Tiers, tuple[Place, ...]] | None = None
        self._base: _Base | None = None
        self._spares = Spares()

    async def render(self, files_of: FilesOf, *, update: bool = False) -> Rendered:
        """Write the node's files, without syncing them; with `update`, only those that changed
        since the files of `keep`, if that is possible. Raises NothingToServe, HistoryGone,
        CannotWrite, InvalidExport, ZoneNotFound, after removing the files."""
        base, self._base = self._base, None
        if base is not None and update and base.unchanged():
            rendered = await self._update(files_of, base)
            if rendered is not None:
                return rendered
        return await self._complete(files_of)

    def keep(self, rendered: Rendered, places: Mapping[Path, Path]) -> None:
        """Base the next update on these files, which are now at these places."""
        if places.keys() <= rendered.versions.keys():
            marks = {path: disk.mark_of(place) for path, place in places.items()}
            self._base = _Base(rendered, rendered.node.shared_identity(), places, marks)

    async def prepare(self) -> None:
        """Copy the large ones of the files in place, so that the next update writes only what
        changes."""
        if self._base is not None:
            base = self._base
            marks = {place: base.marks[path] for path, place in base.places.items()}
            await asyncio.to_thread(self._spares.prepare, marks)

    async def forget(self) -> None:
        """Remove these copies."""
        await asyncio.to_thread(self._spares.discard)

    async def _complete(self, files_of: FilesOf) -> Rendered:
        standpoint = self._standpoint
        files: Mapping[Path, File] = {}
        await self.forget()  # first, because of the space on the disk
        generation = self._store.generation  # before the snapshot, which may be of a later one
        try:
            async with released(self._store, standpoint.name, standpoint.colo) as release:
                node, expires = await self._node(release)
                files = files_of(node)
                written = await _write(files, node, release)
            digests = {path: each.digest for path, each in written.items()}
            versions = {} if release.past else {p: each.version for p, each in written.items()}
            return Rendered(
                release.epoch,
                generation,
                release.revision,
                node,
                digests,
                expires,
                versions=versions,
            )
        except BaseException:
            disk.discard(files)
            raise

    async def _update(self, files_of: FilesOf, base: _Base) -> Rendered | None:
        """The difference to the last files; None if it is too large, or unknown."""
        last, point = base.rendered, self._standpoint
        for _ in range(_ATTEMPTS):
            delta = await delta_since(
                self._store,
                last.generation,
                last.revision,
                last.node.zones,
                by_address=base.by_address,
            )
            if delta is None:
                return None
            selection = delta.selection
            async with released(self._store, point.name, point.colo, selection) as release:
                if release.past or self._store.generation != last.generation:
                    return None
                if release.revision == delta.revision:
                    return await self._difference(files_of, base, delta, release)
        return None

    async def _difference(
        self, files_of: FilesOf, base: _Base, delta: RevisionDelta, release: Release
    ) -> Rendered | None:
        node, expires = await self._node(release)
        files = files_of(node)
        if files.keys() != base.places.keys() or node.shared_identity() != base.shared:
            return None
        try:
            written = await self._write_update(base, delta, node, release, files)
        except BaseException:
            disk.discard(files)
            raise
        return Rendered(
            release.epoch,
            base.rendered.generation,
            release.revision,
            node,
            {},
            expires,
            {path: each.replaced for path, each in written.items() if not each.same},
            {**base.rendered.versions, **{path: each.version for path, each in written.items()}},
        )

    async def _write_update(
        self,
        base: _Base,
        delta: RevisionDelta,
        node: Node,
        release: Release,
        files: Mapping[Path, File],
    ) -> dict[Path, ZoneUpdate | AddressUpdate]:
        zones, rows = delta.selection.zones, WinningRows(delta.selection.addresses)
        if not zones:
            return {}
        with contextlib.ExitStack() as stack:
            written = {
                path: update_of(
                    self._output(path, base, stack),
                    base.rendered.versions[path],
                    stack.enter_context(_opened(base.places[path])),
                    zones,
                )
                for path, file in files.items()
                if file.of_mappings
            }
            async for part in zone_parts(node, release.mappings, zones):
                rows.add(part)
                for each in written.values():
                    await asyncio.to_thread(each.zone, part)
            for path, each in written.items():
                await asyncio.to_thread(each.end, rows.rows)
                if each.same:
                    disk.discard([path])
            return written

    def _output(self, path: Path, base: _Base, stack: contextlib.ExitStack) -> Output:
        spare = self._spares.take(base.places[path], base.marks[path], path)
        return Output(path, stack, spare)

    async def _node(self, release: Release) -> tuple[Node, int | None]:
        topology = release.topology or self._topology
        counting, expires = fresh(release.latencies, topology.latency_seconds, self._now())
        if expires is not None:
            expires += (
                -expires % _MINUTE
            )  # group measurements that expire shortly one after another
        tiers, places = self._tiers(topology, counting, release.own_regions)
        point = self._standpoint
        zones = chosen(release.zones, point.zones)
        node = Node(zones, tiers, places, point.colo, point.endpoints)
        if self._names is not None:
            node = node.with_addresses(await self._names.addresses(node.names()))
        return node, expires

    def _tiers(
        self, topology: Topology, latencies: Fresh, own: OwnRegions
    ) -> tuple[Tiers, tuple[Place, ...]]:
        """The tiers, and all regions. Cached: most changes are to mappings only, and ranking the
        colos for each region takes longer than writing some thousand mappings."""
        if self._last is None or self._last[:3] != (topology, latencies, own):
            catalogue = merged(self._catalogue, own)
            tiers = Tiers(catalogue, topology, latencies)
            self._last = (topology, latencies, own, tiers, catalogue.places())
        return self._last[3:]


async def _write(
    files: Mapping[Path, File], node: Node, release: Release
) -> dict[Path, CompleteFile]:
    with contextlib.ExitStack() as stack:
        written = {
            path: CompleteFile(Output(path, stack), file, node) for path, file in files.items()
        }
        for each in written.values():
            each.start()
        async for part in zone_parts(node, release.mappings):
            for each in written.values():
                each.zone(part)
            await asyncio.sleep(0)
        for each in written.values():
            await asyncio.to_thread(each.end)
        return written


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise CannotWrite(str(path), error) from error


def chosen(zones: Sequence[Zone], named: Sequence[str]) -> list[Zone]:
    """The zones with these IDs or names, or all zones if none is named. Raises ZoneNotFound."""
    if not named:
        return list(zones)
    selected = {}
    for name in named:
        zone = next((z for z in zones if z.id == name or z.name == name.lower()), None)
        if zone is None:
            raise ZoneNotFound(name)
        selected[zone.id] = zone
    return list(selected.values())
