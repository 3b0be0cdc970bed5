"""Exports for the operator: of any zone."""

import msgspec

from originmap.domain.zone import Zone
from originmap.service.chunks import Chunks
from originmap.service.directory import Directory
from originmap.service.exports import Exports, Wanted
from originmap.service.operate.parts import Handlers, zone_called


class ExportZones(msgspec.Struct, frozen=True, tag=True):
    """One file of an export of some zones, by id or name; of all where none is named."""

    wanted: Wanted
    zones: list[str] = []


class ExportFamily(msgspec.Struct, frozen=True, tag=True):
    """All files of a format's family, for the node that `wanted` describes."""

    wanted: Wanted


class ExportNames(msgspec.Struct, frozen=True, tag=True):
    """The names of upper tiers whose addresses `wanted` has use for, a row each."""

    wanted: Wanted


class UpperTierName(msgspec.Struct, frozen=True):
    """One of them."""

    name: str


class FamilyFile(msgspec.Struct, frozen=True):
    """One of them."""

    name: str
    text: str


class OperateExports:
    """As `parts.Subject`; what may be large it answers with bytes."""

    def __init__(self, exports: Exports, directory: Directory) -> None:
        self._exports = exports
        self._directory = directory

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ExportFamily: self._family, ExportNames: self._names}

    async def begin(self, command: ExportZones) -> Chunks:
        """The file in chunks. Raises ZoneNotFound, InvalidExport, StoreBusy."""

        def zones() -> list[Zone]:
            named = [zone_called(self._directory, zone) for zone in command.zones]
            return list(dict.fromkeys(named)) if named else self._directory.zones()

        _, chunks = await self._exports.begin(command.wanted, zones)
        return chunks

    async def _names(self, command: ExportNames) -> list[UpperTierName]:
        return [UpperTierName(name) for name in self._exports.names(command.wanted)]

    async def _family(self, command: ExportFamily) -> list[FamilyFile]:
        files = self._exports.family(command.wanted)
        return [FamilyFile(name, content.decode()) for name, content in files.items()]
