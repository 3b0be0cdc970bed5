"""Answers to the nodes that run Envoy and ask for their resources, again and again."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from originmap.domain.zone.zone import Zone
from originmap.export.discovery import ResourceKind, response
from originmap.service.chunks import Chunks
from originmap.service.export.exports import Export, Exports, digest
from originmap.service.feed.feed import Point
from originmap.service.feed.snapshots import SnapshotReader


class Question(NamedTuple):
    """What a node in a colo asks for: resources of a kind, those of some names or all, with the
    addresses of upper tiers as `export.endpoint.read` reads them. `version` is what it has."""

    kind: ResourceKind
    version: str = ""
    names: Sequence[str] = ()
    colo: str | None = None
    upstreams: Sequence[str] = ()


class Discovery:
    """Answers questions about zones that the caller may read."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    async def answer(
        self, question: Question, zones: Callable[[], Sequence[Zone]], reader: SnapshotReader
    ) -> Chunks | None:
        """The discovery response, as `Exports.begin` gives a file; None where the node has it
        already. Raises InvalidExport, StoreBusy."""
        await self._exports.tiers_at_hand()
        if self._prepare(question, zones, self._exports.now).tag == question.version:
            return None
        _, chunks = await self._exports.open(
            lambda point: self._prepare(question, zones, point), reader
        )
        return chunks

    def _prepare(
        self, question: Question, zones: Callable[[], Sequence[Zone]], point: Point
    ) -> Export:
        kind, names = question.kind, sorted(question.names)
        node = self._exports.node(
            zones() if kind.of_mappings else (), question.colo, question.upstreams
        )
        node.check_endpoints()
        # The names count too: a node that asks for other ones must not hear that nothing changed.
        version = digest(f"{kind.name} {names}", node)
        if kind.of_mappings:
            version = f"{point.epoch}-{point.revision}-{version}"
        return Export(response(kind, version, names), node, point.revision, version)
