"""Where the origins of a zone are filled from, for the operator."""

import msgspec

from originmap.domain import address as addresses
from originmap.domain.mapping import MAX_MAPPINGS, Place
from originmap.domain.resolution import Mode, Resolution
from originmap.domain.tier import Ranked
from originmap.service.directory import Directory
from originmap.service.operate.parts import Handlers, zone_called
from originmap.service.resolve import Resolve
from originmap.store.port import Store


class ResolveOrigins(msgspec.Struct, frozen=True, tag=True):
    """Resolve addresses of a zone, by id or name; all together where they are a pool."""

    zone: str
    ips: list[str]
    pool: bool = False


class ListMappings(msgspec.Struct, frozen=True, tag=True):
    """Every mapping of a zone, by id or name."""

    zone: str


class MappingView(msgspec.Struct, frozen=True):
    """A mapping as an operator sees it."""

    origin_ip: str
    vendor: str
    region: str


class TierView(msgspec.Struct, frozen=True):
    """An upper tier with what it was chosen from, which a `Tier` works out when it is asked."""

    chosen: tuple[Ranked, ...]
    reason: str
    ranking: tuple[Ranked, ...]


class ResolutionView(msgspec.Struct, frozen=True):
    """A resolution as an operator sees it."""

    mode: Mode
    place: Place | None
    tier: TierView | None
    eligible: tuple[str, ...]
    reason: str


class ResolvedOrigin(msgspec.Struct, frozen=True):
    """The answer for an address, or for a pool of them."""

    origin_ips: list[str]
    revision: int
    resolution: ResolutionView


class OperateOrigins:
    """As `parts.Subject`."""

    def __init__(self, store: Store, directory: Directory, resolve: Resolve) -> None:
        self._store = store
        self._directory = directory
        self._resolve = resolve

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {ResolveOrigins: self._resolve_origins, ListMappings: self._list}

    async def _list(self, command: ListMappings) -> list[MappingView]:
        zone = zone_called(self._directory, command.zone)
        found = await self._store.page(zone.id, 0, MAX_MAPPINGS)
        return [MappingView(addresses.text(m.address), *m.place) for m in found.mappings]

    async def _resolve_origins(self, command: ResolveOrigins) -> list[ResolvedOrigin]:
        zone = zone_called(self._directory, command.zone)
        asked = [addresses.parse(ip) for ip in command.ips]
        texts = [addresses.text(address) for address in asked]
        if command.pool:
            answer = await self._resolve.pool(zone, asked)
            return [ResolvedOrigin(texts, answer.revision, _view(answer.resolutions[0]))]
        answer = await self._resolve.each(zone, asked)
        return [
            ResolvedOrigin([text], answer.revision, _view(resolution))
            for text, resolution in zip(texts, answer.resolutions, strict=True)
        ]


def _view(resolution: Resolution) -> ResolutionView:
    tier = resolution.tier
    return ResolutionView(
        resolution.mode,
        resolution.place,
        TierView(tier.chosen, tier.reason, tier.ranking) if tier else None,
        resolution.eligible,
        resolution.reason,
    )
