"""Exports: files for caches, written from a snapshot of the store."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from originmap import __version__
from originmap.domain.history.snapshot import Part, SnapshotStart, ZoneMappings, start_of
from originmap.domain.mapping.mapping import Mapping
from originmap.domain.rollout.rollout import allowed
from originmap.domain.tier.tier import Tiers
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import Addresses, Endpoints, read
from originmap.export.format import File, Format, written
from originmap.export.node import Node, ZonePart
from originmap.service.chunks import Chunks
from originmap.service.feed.snapshots import LOCAL, SnapshotReader, Snapshots
from originmap.service.mapping.catalogues import Catalogues
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.release import Release, read_release
from originmap.service.tier.topology import Topologies
from originmap.service.turns import PIECE, Turns
from originmap.store.port import Store

_Parts = AsyncGenerator[Part, None]
_CHUNK = 1 << 16
_SMALL = 1 << 12
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.005


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A request for a file of a format, for the node in a colo.

    `file` may be None if the format has only one file. `upstreams` are the addresses of upper
    tiers, in the form of `export.endpoint.read`.
    """

    format: str
    file: str | None = None
    colo: str | None = None
    upstreams: Sequence[str] = ()
    addresses: Addresses = field(default_factory=dict)
    """The resolved addresses of the host names in `upstreams`."""
    served: bool = False
    """Whether to export the revision that the rollout allows the node, instead of the newest."""
    node: str | None = None
    """The name of the node, None if unknown."""


class Export(NamedTuple):
    """A file that is ready to be written; `tag` changes whenever its bytes do."""

    file: File
    node: Node
    revision: int
    tag: str


Prepare = Callable[[SnapshotStart], Export]
"""Prepares an export with the mappings of a snapshot."""


class Exports:
    """Writes exports of zones that the caller may read."""

    def __init__(
        self,
        store: Store,
        topologies: Topologies,
        catalogues: Catalogues,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots or Snapshots(store)
        self._topologies = topologies
        self._current = CurrentRollout(store)
        self._catalogues = catalogues
        self.turns = topologies.turns

    def prepare(
        self, request: ExportRequest, zones: Sequence[Zone], start: SnapshotStart
    ) -> Export:
        """Prepare an export with the mappings of a snapshot. Raises InvalidExport."""
        return _export(request, self._node(request, zones), start)

    def family(self, request: ExportRequest, zones: Iterable[Zone]) -> dict[str, bytes]:
        """Return the complete content of every file of a format's family, by name. Raises
        InvalidExport."""
        format_, node = _format(request.format), self._node(request, zones)
        files = format_.family.files(node) if format_.family else ()
        return {file.name: b"".join(written(file.writer(node), ())) for file in files}

    def names(self, request: ExportRequest, zones: Iterable[Zone]) -> tuple[str, ...]:
        """Return the host names of upper tiers that must be resolved for the format. Raises
        InvalidExport."""
        format_, node = _format(request.format), self._node(request, zones)
        return node.names() if format_.of_addresses else ()

    def _node(self, request: ExportRequest, zones: Iterable[Zone]) -> Node:
        node = self.node(zones, request.colo, read(request.upstreams))
        return node.with_addresses(request.addresses) if request.addresses else node

    async def now(self) -> SnapshotStart:
        """Return the start of a snapshot of the newest revision."""
        epoch, revision = self._store.epoch, self._store.revision
        return SnapshotStart(epoch, revision, await self._store.time_of(revision) or 0)

    def node(self, zones: Iterable[Zone], colo: str | None, endpoints: Endpoints) -> Node:
        """Return a node with the current tiers. Raises InvalidExport."""
        places = self._catalogues.current().places()
        return Node(zones, self._topologies.tiers(), places, colo, endpoints)

    def past_node(
        self, release: Release, zones: Iterable[Zone], colo: str | None, endpoints: Endpoints
    ) -> Node:
        """Return a node with the tiers of an earlier revision. Raises InvalidExport."""
        catalogue = self._catalogues.with_own(release.own_regions)
        tiers = self._topologies.tiers_as_of(release.topology, release.latencies, catalogue)
        return Node(zones, tiers, catalogue.places(), colo, endpoints)

    async def tiers_at_hand(self) -> Tiers:
        """Return the current tiers after computing those of every region, in turns: a node needs
        all of them."""
        tiers = await self._topologies.all_tiers()
        await self._topologies.turns.next()
        return tiers

    async def begin(
        self,
        request: ExportRequest,
        zones: Callable[[], Sequence[Zone]],
        reader: SnapshotReader = LOCAL,
    ) -> tuple[Export, Chunks]:
        """Prepare an export and its chunks, all of one revision.

        `zones` returns the current zones. Raises InvalidExport; StoreBusy if too many snapshots are
        open; HistoryGone if the history no longer has the revision that the node may serve.
        """
        at = self._held_at(request)
        if at is None:
            return await self.open(lambda start: self.prepare(request, zones(), start), reader)
        readable = {zone.id for zone in zones()}
        parts = self._snapshots.take_at(reader, at)
        try:
            release = await read_release(parts)
            served = [zone for zone in release.zones if zone.id in readable]
            node = self.past_node(release, served, request.colo, read(request.upstreams))
            node = node.with_addresses(request.addresses)
            export = _export(request, node, release.start)
            chunks = _written(export, release.mappings, self._topologies.turns)
            return export, Chunks(chunks, release.mappings, parts)
        except BaseException:
            await parts.aclose()
            raise

    def keeps_back(self, request: ExportRequest) -> bool:
        """Report whether a rollout holds the node at an older revision than `prepare` exports."""
        return self._held_at(request) is not None

    def _held_at(self, request: ExportRequest) -> int | None:
        """Return the older revision at which a rollout holds the node; None for the newest."""
        if not request.served:
            return None
        at = allowed(self._current.rollout, request.node, request.colo or "")
        return at if at is not None and at < self._store.revision else None

    async def open(self, prepare: Prepare, reader: SnapshotReader = LOCAL) -> tuple[Export, Chunks]:
        """Prepare an export of the newest revision, and its chunks. Raises what `prepare` raises,
        and StoreBusy if too many snapshots are open."""
        await self.tiers_at_hand()
        turns = self._topologies.turns
        export = prepare(await self.now())
        if not export.file.of_mappings:
            return export, Chunks(_written(export, None, turns))
        start, parts = await self._mappings(reader)
        try:
            export = prepare(start)
        except BaseException:
            await parts.aclose()
            raise
        return export, Chunks(_written(export, parts, turns), parts)

    async def _mappings(self, reader: SnapshotReader) -> tuple[SnapshotStart, _Parts]:
        """Return the start of a snapshot and its rest, after the tiers of that revision were
        computed."""
        attempt = 0
        while True:
            attempt += 1
            await self.tiers_at_hand()
            parts = self._snapshots.take(reader)
            start = await start_of(parts)
            if start == await self.now() or attempt == _ATTEMPTS:
                return start, parts
            # Other processes write too: their commits may be in the snapshot and not yet in this
            # process's memory, or the other way round. If all attempts fail, zones and topology may
            # be newer than the mappings.
            await parts.aclose()
            await asyncio.sleep(_PAUSE_SECONDS)


def _format(name: str) -> Format:
    """The format of this name. Raises InvalidExport."""
    from originmap.export.formats import format_called  # many servers never load the formats

    return format_called(name)


def _export(request: ExportRequest, node: Node, start: SnapshotStart) -> Export:
    format_ = _format(request.format)
    if format_.upstreams:
        node.check_endpoints()
    file = format_.file(request.file, node)
    return Export(file, node, start.revision, f'"{version(start, file.name, node)}"')


def version(start: SnapshotStart, name: str, node: Node) -> str:
    """Return the version of a node's file with the mappings of a snapshot. It depends on the time
    too: a database that was restored from a backup has the same revisions with other mappings."""
    return f"{start.epoch}-{start.revision}-{digest(f'{name} {start.at}', node)}"


def digest(name: str, node: Node) -> str:
    """Return a digest of everything that affects a node's file, except the mappings."""
    content = repr((__version__, name, node.identity())).encode()
    return hashlib.sha256(content).hexdigest()[:16]


async def _written(
    export: Export, parts: _Parts | None, turns: Turns
) -> AsyncGenerator[bytes, None]:
    """Write the file in chunks of about 64 KiB, with turns for other requests: after each of the
    writer's own chunks with mappings, and after some of the others, which are small."""
    waiting: list[bytes] = []
    size = since_turn = 0
    step = 0 if export.file.of_mappings else _SMALL
    async with contextlib.aclosing(_chunks(export, parts, turns)) as chunks:
        async for chunk in chunks:
            waiting.append(chunk)
            size += len(chunk)
            since_turn += len(chunk)
            if size >= _CHUNK:
                yield b"".join(waiting)
                waiting, size = [], 0
            if since_turn >= step:
                since_turn = 0
                await turns.next()
    yield b"".join(waiting)


async def _chunks(
    export: Export, parts: _Parts | None, turns: Turns
) -> AsyncGenerator[bytes, None]:
    writer = export.file.writer(export.node)
    for chunk in writer.start():
        yield chunk
    if parts is not None:
        async with contextlib.aclosing(parts):
            async for zone in zone_parts(export.node, parts):
                if len(zone.rows) > PIECE:
                    await turns.next()
                for chunk in writer.zone(zone):
                    yield chunk
    for chunk in writer.end():
        yield chunk


async def zone_parts(
    node: Node, parts: _Parts, wanted: Container[str] | None = None
) -> AsyncGenerator[ZonePart, None]:
    """Yield the node's zones with their mappings, in order, including zones without mappings: all
    of them, or with `wanted` those with these IDs."""
    ahead = list(reversed(node.zones))
    async for zone_id, mappings in _mappings(parts):
        while ahead and ahead[-1].id < zone_id:
            zone = ahead.pop()
            if wanted is None or zone.id in wanted:
                yield node.part(zone, ())
        if ahead and ahead[-1].id == zone_id:
            yield node.part(ahead.pop(), mappings)
    for zone in reversed(ahead):
        if wanted is None or zone.id in wanted:
            yield node.part(zone, ())


async def _mappings(parts: _Parts) -> AsyncGenerator[tuple[str, list[Mapping]], None]:
    """Yield each zone with all its mappings, which a snapshot may have in several parts."""
    zone_id, held = "", list[Mapping]()
    async for part in parts:
        if not isinstance(part, ZoneMappings):
            continue
        if part.zone_id != zone_id and held:
            yield zone_id, held
            held = []
        zone_id = part.zone_id
        held += part.mappings
    if held:
        yield zone_id, held
