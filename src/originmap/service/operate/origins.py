"""Where the origins of a zone are filled from, for the operator."""

import msgspec

from originmap.domain import address as addresses
from originmap.domain.resolution import Resolution
from originmap.service.directory import Directory
from originmap.service.operate.parts import Handlers, zone_called
from originmap.service.resolve import Resolve


class ResolveOrigins(msgspec.Struct, frozen=True, tag=True):
    """Resolve addresses of a zone, by id or name; all together where they are a pool."""

    zone: str
    ips: list[str]
    pool: bool = False


class ResolvedOrigin(msgspec.Struct, frozen=True):
    """The answer for an address, or for a pool of them."""

    origin_ips: list[str]
    revision: int
    resolution: Resolution


class OperateOrigins:
    """As `parts.Subject`."""

    def __init__(self, directory: Directory, resolve: Resolve) -> None:
        self._directory = directory
        self._resolve = resolve

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ResolveOrigins: self._resolve_origins}

    async def _resolve_origins(self, command: ResolveOrigins) -> list[ResolvedOrigin]:
        zone = zone_called(self._directory, command.zone)
        asked = [addresses.parse(ip) for ip in command.ips]
        texts = [addresses.text(address) for address in asked]
        if command.pool:
            answer = await self._resolve.pool(zone, asked)
            return [ResolvedOrigin(texts, answer.revision, answer.resolutions[0])]
        answer = await self._resolve.each(zone, asked)
        return [
            ResolvedOrigin([text], answer.revision, resolution)
            for text, resolution in zip(texts, answer.resolutions, strict=True)
        ]
