"""Exports: what caches load, made from a snapshot of the store."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from originmap import __version__
from originmap.domain.history.snapshot import Part, ZoneMappings, start_of
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.mapping import Mapping, Place
from originmap.domain.rollout.rollout import allowed
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import Addresses, read
from originmap.export.format import File, written
from originmap.export.formats import format_called
from originmap.export.node import Node, ZonePart
from originmap.service.chunks import Chunks
from originmap.service.feed.feed import Point
from originmap.service.feed.snapshots import LOCAL, SnapshotReader, Snapshots
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.service.rollout.release import read_release
from originmap.service.tier.topology import Topologies
from originmap.service.turns import PIECE, Turns
from originmap.store.port import Store

_Parts = AsyncGenerator[Part, None]
_CHUNK = 1 << 16
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.005


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for: a file of a format, which may be left out where there is only one, for
    the node in a colo, with the addresses of upper tiers as `export.endpoint.read` reads them."""

    format: str
    file: str | None = None
    colo: str | None = None
    upstreams: Sequence[str] = ()
    addresses: Addresses = field(default_factory=dict)
    """Those of names among them, as the caller looked them up."""
    served: bool = False
    """Whether it is what a rollout lets the node serve."""
    node: str | None = None
    """What the node is called, where that is known."""


class Export(NamedTuple):
    """A file that can be made; `tag` changes whenever its bytes do."""

    file: File
    node: Node
    revision: int
    tag: str


Prepare = Callable[[Point], Export]
"""Makes an export ready, with the mappings of a point."""


class Exports:
    """Makes exports of zones that the caller may read."""

    def __init__(
        self,
        store: Store,
        topologies: Topologies,
        catalogue: Catalogue,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots or Snapshots(store)
        self._topologies = topologies
        self._current = CurrentRollout(store)
        self._places = tuple(Place(region.vendor, region.name) for region in catalogue.regions())

    def prepare(
        self, wanted: ExportRequest, zones: Sequence[Zone], point: Point | None = None
    ) -> Export:
        """The file that is wanted, with the mappings of `point`, None for now. Raises
        InvalidExport."""
        return _export(wanted, self._node(wanted, zones), point or self.now)

    def family(self, wanted: ExportRequest) -> dict[str, bytes]:
        """Every file of a format's family, whole, by name. Raises InvalidExport."""
        known, node = format_called(wanted.format), self._node(wanted, ())
        files = known.family.files(node) if known.family else ()
        return {file.name: b"".join(written(file.writer(node), ())) for file in files}

    def names(self, wanted: ExportRequest) -> tuple[str, ...]:
        """The names of upper tiers whose addresses the format has use for. Raises InvalidExport."""
        known, node = format_called(wanted.format), self._node(wanted, ())
        return node.names() if known.of_addresses else ()

    def _node(self, wanted: ExportRequest, zones: Iterable[Zone]) -> Node:
        made = self.node(zones, wanted.colo, wanted.upstreams)
        return made.with_addresses(wanted.addresses) if wanted.addresses else made

    @property
    def now(self) -> Point:
        """The point that the database has reached."""
        return Point(self._store.epoch, self._store.revision)

    def node(self, zones: Iterable[Zone], colo: str | None, upstreams: Sequence[str]) -> Node:
        """A node, as `ExportRequest` describes it, as of now. Raises InvalidExport."""
        return Node(zones, self._topologies.tiers(), self._places, colo, read(upstreams))

    async def tiers_at_hand(self) -> None:
        """Have the tiers of every region worked out, in turns: a node needs them all."""
        await self._topologies.all_tiers()
        await self._topologies.turns.next()

    async def begin(
        self,
        wanted: ExportRequest,
        zones: Callable[[], Sequence[Zone]],
        reader: SnapshotReader = LOCAL,
    ) -> tuple[Export, Chunks]:
        """The file that is wanted, and its chunks, all of one revision. `zones` says which zones,
        as of now. Raises InvalidExport, StoreBusy while too many are being read, and HistoryGone
        where what the node may serve cannot be told any more."""
        at = self._kept_at(wanted)
        if at is None:
            return await self.open(lambda point: self.prepare(wanted, zones(), point), reader)
        readable = {zone.id for zone in zones()}
        parts = self._snapshots.take_at(reader, at)
        try:
            release = await read_release(parts)
            node = Node(
                [zone for zone in release.zones if zone.id in readable],
                self._topologies.tiers_as_of(release.topology, release.latencies),
                self._places,
                wanted.colo,
                read(wanted.upstreams),
            )
            export = _export(wanted, node, Point(release.epoch, release.revision))
            chunks = _written(export, release.mappings, self._topologies.turns)
            return export, Chunks(chunks, release.mappings, parts)
        except BaseException:
            await parts.aclose()
            raise

    def keeps_back(self, wanted: ExportRequest) -> bool:
        """Whether a rollout keeps the node from what `prepare` gives."""
        return self._kept_at(wanted) is not None

    def _kept_at(self, wanted: ExportRequest) -> int | None:
        """The revision before the newest that the node may serve; None for the newest."""
        if not wanted.served:
            return None
        at = allowed(self._current.rollout, wanted.node, wanted.colo or "")
        return at if at is not None and at < self._store.revision else None

    async def open(self, prepare: Prepare, reader: SnapshotReader = LOCAL) -> tuple[Export, Chunks]:
        """What `prepare` gives, as of now, and its chunks, as `begin` does."""
        await self.tiers_at_hand()
        turns = self._topologies.turns
        export = prepare(self.now)
        if not export.file.of_mappings:
            return export, Chunks(_written(export, None, turns))
        point, parts = await self._mappings(reader)
        try:
            export = prepare(point)
        except BaseException:
            await parts.aclose()
            raise
        return export, Chunks(_written(export, parts, turns), parts)

    async def _mappings(self, reader: SnapshotReader) -> tuple[Point, _Parts]:
        """A snapshot behind its start, and the point that it is of; the tiers of that point are
        at hand."""
        attempt = 0
        while True:
            attempt += 1
            await self.tiers_at_hand()
            parts = self._snapshots.take(reader)
            start = await start_of(parts)
            point = Point(start.epoch, start.revision)
            if point == self.now or attempt == _ATTEMPTS:
                return point, parts
            # Other processes write too, and this one has not heard of it all yet, or has heard of
            # more. If that goes on and on, zones and topology may be newer than the mappings.
            await parts.aclose()
            await asyncio.sleep(_PAUSE_SECONDS)


def _export(wanted: ExportRequest, node: Node, point: Point) -> Export:
    known = format_called(wanted.format)
    if known.upstreams:
        node.check_endpoints()
    file = known.file(wanted.file, node)
    tag = f'"{point.epoch}-{point.revision}-{digest(file.name, node)}"'
    return Export(file, node, point.revision, tag)


def digest(name: str, node: Node) -> str:
    """Another one for everything, but the mappings, that makes a node's file another one."""
    made = repr((__version__, name, node.identity())).encode()
    return hashlib.sha256(made).hexdigest()[:16]


async def _written(
    export: Export, parts: _Parts | None, turns: Turns
) -> AsyncGenerator[bytes, None]:
    """The file in chunks of some size. Others get their turn between the small ones."""
    waiting: list[bytes] = []
    size = 0
    async with contextlib.aclosing(_chunks(export, parts, turns)) as chunks:
        async for chunk in chunks:
            waiting.append(chunk)
            size += len(chunk)
            if size >= _CHUNK:
                yield b"".join(waiting)
                waiting, size = [], 0
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


async def zone_parts(node: Node, parts: _Parts) -> AsyncGenerator[ZonePart, None]:
    """The node's zones with their mappings, in order; those without any too."""
    ahead = list(reversed(node.zones))
    async for zone_id, mappings in _mappings(parts):
        while ahead and ahead[-1].id < zone_id:
            yield node.part(ahead.pop(), ())
        if ahead and ahead[-1].id == zone_id:
            yield node.part(ahead.pop(), mappings)
    for zone in reversed(ahead):
        yield node.part(zone, ())


async def _mappings(parts: _Parts) -> AsyncGenerator[tuple[str, list[Mapping]], None]:
    """Each zone's mappings together, which a snapshot may have in pieces."""
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
