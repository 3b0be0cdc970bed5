"""The chain of a node for an origin: the colos that it fills from, in order.

    regional hub   the hub of the node's region, if the zone has Regional Tiered Cache on
    upper tier     the colo that alone fetches from the origin
    fallbacks      in order

An empty chain is the origin itself. The chain ends before the node's own colo, and a node of the
upper tier or of a fallback uses no hub, so that no request can come back: hubs fill from upper
tiers, fallbacks from the colos before them, and the upper tier from the origin.

If the caches of the upper tier share its URLs, a node there has a chain with its own colo alone: it
asks the cache that owns the URL, which then fills from the origin.
"""

from collections.abc import Sequence
from itertools import takewhile

from originmap.domain.errors import InvalidExport
from originmap.domain.tier.resolution import Mode, Resolution
from originmap.domain.tier.tier import Tiers, choose, nearest
from originmap.domain.tier.topology import Colo, GenericTier, Topology
from originmap.domain.zone.zone import Zone

Chain = tuple[str, ...]
GENERIC = "generic"
"""In a chain: the caches of all colos of the generic pool. Codes of colos are in capitals."""


class Chains:
    """The chains of one node."""

    def __init__(self, tiers: Tiers, own: str | None, *, siblings: bool = False) -> None:
        """`own`: the code of the node's colo, if it has one; `siblings`: whether several caches
        share the URLs of that colo. Raises InvalidExport if the topology has no such colo."""
        topology = tiers.topology
        self._own = own
        self._siblings = siblings
        colo = None if own is None else topology.by_code().get(own)
        if own is not None and colo is None:
            raise InvalidExport(
                f"there is no colo {own}", "run originmap topology show to see all colos"
            )
        self.hub = None if colo is None else Hubs(topology).of(colo)
        self.generic = self._generic(tiers, colo)

    def of(self, zone: Zone, resolution: Resolution) -> Chain:
        """The chain for a resolution of an origin of a zone."""
        if resolution.mode is Mode.OFF:
            return ()
        if resolution.tier is None:
            return self.generic
        codes = [ranked.colo.code for ranked in resolution.tier.chosen]
        return self.through(codes, regional=zone.regional_tiered_cache.on)

    def hub_in(self, chain: Chain, resolution: Resolution) -> str | None:
        """The regional hub with which a chain begins, if it does."""
        upper = resolution.tier.primary.colo.code if resolution.tier else None
        return chain[0] if upper and chain and chain[0] == self.hub != upper else None

    def through(self, codes: Sequence[str], *, regional: bool = False) -> Chain:
        """The chain for an upper tier and its fallbacks, with the hub if `regional`."""
        if self._own in codes:
            if codes[0] == self._own and self._siblings:
                return (self._own,)
            return tuple(takewhile(lambda code: code != self._own, codes))
        if not regional or self.hub in (None, self._own):
            return tuple(codes)
        return tuple(dict.fromkeys((self.hub, *codes)))

    def _generic(self, tiers: Tiers, colo: Colo | None) -> Chain:
        """The chain for origins without a region: by the hash key, or the eligible colos nearest
        to the node. For a node without a colo the latter is empty."""
        topology = tiers.topology
        if topology.generic is GenericTier.HASH:
            alone = not self._siblings and tiers.pool == (self._own,)
            return () if alone else (GENERIC,)
        if colo is None:
            return ()
        ranking = nearest(topology.eligible(), colo)
        chosen = choose(ranking, topology.apart_km, 1 + topology.fallbacks)
        return self.through([ranked.colo.code for ranked in chosen])


class Hubs:
    """The regional hubs of a topology."""

    def __init__(self, topology: Topology) -> None:
        self._named = topology.hubs
        self._hubs = {code for codes in topology.hubs.values() for code in codes}
        self._candidates: dict[str, list[Colo]] = {}
        for colo in topology.eligible():
            if colo.network_region not in self._named:
                self._candidates.setdefault(colo.network_region, []).append(colo)
        by_code = topology.by_code()
        for region, codes in self._named.items():
            in_service = [by_code[code] for code in codes if by_code[code].in_service]
            self._candidates[region] = in_service

    def of(self, colo: Colo) -> str | None:
        """The hub of a colo: of the hubs that the operator set for its region, or else of the
        region's eligible colos, the nearest one; None if none can be used. The hub of any region is
        its own hub, so that hubs do not fill from each other."""
        if colo.code in self._hubs:
            return colo.code
        ranking = nearest(self._candidates.get(colo.network_region, ()), colo)
        return ranking[0].colo.code if ranking else None
