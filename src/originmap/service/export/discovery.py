"""Discovery responses (xDS over REST) for nodes that run Envoy, which poll for resources."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from originmap.domain.history.snapshot import SnapshotStart
from originmap.domain.zone.zone import Zone
from originmap.export.discovery import ResourceKind, response
from originmap.export.endpoint import Endpoints
from originmap.service.chunks import Chunks
from originmap.service.export.exports import Export, Exports, digest, version
from originmap.service.feed.snapshots import SnapshotReader


class Question(NamedTuple):
    """A request of a node in a colo for resources of one kind: those with some names, or all.
    `version` is the version that the node has."""

    kind: ResourceKind
    version: str = ""
    names: Collection[str] = ()
    colo: str | None = None
    endpoints: Endpoints = Endpoints()


class Discovery:
    """Answers discovery requests for zones that the caller may read."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports
        self.turns = exports.turns

    async def answer(
        self, question: Question, zones: Callable[[], Sequence[Zone]], reader: SnapshotReader
    ) -> Chunks | None:
        """Return the discovery response in chunks, or None if the node already has this version.
        Raises InvalidExport, StoreBusy."""
        await self._exports.tiers_at_hand()
        if self._prepare(question, zones, await self._exports.now()).tag == question.version:
            return None
        _, chunks = await self._exports.open(
            lambda start: self._prepare(question, zones, start), reader
        )
        return chunks

    def _prepare(
        self, question: Question, zones: Callable[[], Sequence[Zone]], start: SnapshotStart
    ) -> Export:
        kind, of = question.kind, zones()
        if not kind.of_mappings:
            # Clusters depend on zones only in this: whether one has a hub, and one has pools.
            kinds = {(zone.regional_tiered_cache.on, bool(zone.pools)): zone for zone in of}
            of = [zone for kind, zone in kinds.items() if any(kind)]
        node = self._exports.node(of, question.colo, question.endpoints)
        node.check_endpoints()
        # The names are part of the version: a request for other names needs a response even if no
        # resource changed.
        name = f"{kind.name} {list(question.names)}"
        found = version(start, name, node) if kind.of_mappings else digest(name, node)
        return Export(response(kind, found, question.names), node, start.revision, found)
