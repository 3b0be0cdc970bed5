"""Renders the files of all caches of a node from one state, in one pass over the mappings."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
from originmap.export.endpoint import Endpoints
from originmap.export.format import File
from originmap.export.node import Node
from originmap.file_mode import set_mode
from originmap.service.export.exports import zone_parts
from originmap.service.rollout.release import Release
from originmap.store.clock import Now
from originmap.store.port import Store

_MODE = 0o644  # a cache runs as another user
_MINUTE = 60_000_000


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
    """The rendered files of one revision: their SHA-256 by path, and the node as it was then.
    `expires` is when they may change without a committed change, because a latency measurement
    expires: microseconds since 1970 UTC."""

    epoch: str
    revision: int
    node: Node
    digests: Mapping[Path, str]
    expires: int | None


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

    async def render(self, files_of: Callable[[Node], Mapping[Path, File]]) -> Rendered:
        """Write the node's files, without syncing them. Raises NothingToServe, HistoryGone,
        CannotWrite, InvalidExport, ZoneNotFound, after removing the files."""
        standpoint = self._standpoint
        files: Mapping[Path, File] = {}
        try:
            async with released(self._store, standpoint.name, standpoint.colo) as release:
                node, expires = self._node(release)
                if self._names is not None:
                    node = node.with_addresses(await self._names.addresses(node.names()))
                files = files_of(node)
                digests = await self._write(files, node, release)
            return Rendered(release.epoch, release.revision, node, digests, expires)
        except BaseException:
            discard(files)
            raise

    def _node(self, release: Release) -> tuple[Node, int | None]:
        topology = release.topology or self._topology
        counting, expires = fresh(release.latencies, topology.latency_seconds, self._now())
        if expires is not None:
            expires += (
                -expires % _MINUTE
            )  # group measurements that expire shortly one after another
        tiers, places = self._tiers(topology, counting, release.own_regions)
        point = self._standpoint
        zones = chosen(release.zones, point.zones)
        return Node(zones, tiers, places, point.colo, point.endpoints), expires

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
        self, files: Mapping[Path, File], node: Node, release: Release
    ) -> dict[Path, str]:
        with contextlib.ExitStack() as stack:
            outputs = {path: _Output(path, stack) for path in files}
            writers = [(outputs[path], file.writer(node)) for path, file in files.items()]
            for output, writer in writers:
                output.add(writer.start())
            async for part in zone_parts(node, release.mappings):
                for output, writer in writers:
                    output.add(writer.zone(part))
                await asyncio.sleep(0)
            for output, writer in writers:
                output.add(writer.end())
            return {path: await asyncio.to_thread(out.end) for path, out in outputs.items()}


class _Output:
    """A file that is being written."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        try:
            disk.make_folder(path.parent)
            path.unlink(missing_ok=True)  # never follow a symbolic link placed here
            self._file: BinaryIO = stack.enter_context(path.open("xb"))
        except OSError as error:
            raise CannotWrite(str(path), error) from error

    def add(self, chunks: Iterable[bytes]) -> None:
        """Append. Raises CannotWrite."""
        for chunk in chunks:
            self._digest.update(chunk)
            try:
                self._file.write(chunk)
            except OSError as error:
                raise CannotWrite(str(self._path), error) from error

    def end(self) -> str:
        """Close the file and return its SHA-256. Raises CannotWrite."""
        try:
            self._file.flush()
            set_mode(self._file.fileno(), _MODE)
            self._file.close()
        except OSError as error:
            raise CannotWrite(str(self._path), error) from error
        return self._digest.hexdigest()


def discard(paths: Iterable[Path]) -> None:
    """Remove files, ignoring errors."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


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
