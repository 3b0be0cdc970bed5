"""The chain of a node for resolved origins, and the caches that own a URL there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from originmap.domain.errors import InvalidExport
from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Chain, Chains
from originmap.domain.tier.hash_key import hash_key
from originmap.domain.tier.resolution import Resolution
from originmap.domain.tier.rings.table import owners
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import Endpoints
from originmap.service.tier.topology import Topologies

_NO_OPTIONS = Endpoints()


class Fill(NamedTuple):
    """Where a node fills an origin from. `owners` has the cache of the first colo that owns the
    URL, by cache software, None if that is not known; it is empty without a URL, and if the node
    fills from the origin."""

    chain: Chain
    hub: str | None
    owners: Mapping[str, str | None]


class Owners:
    """Answers where a node fills from, with the addresses of the topology."""

    def __init__(self, topologies: Topologies) -> None:
        self._topologies = topologies

    async def fills(
        self, zone: Zone, resolutions: Sequence[Resolution], colo: str | None, url: str | None
    ) -> list[Fill]:
        """Return where a node in a colo fills from, in the order of the resolutions. Raises
        InvalidExport if there is no such colo; InvalidQuery for an invalid URL."""
        turns = self._topologies.turns
        await turns.next()
        tiers = self._topologies.tiers()
        topology = tiers.topology
        own = topology.by_code().get(colo or "")
        siblings = own is not None and _NO_OPTIONS.count(own) > 1
        chains = Chains(tiers, colo, siblings=siblings)
        key = None if url is None else hash_key(url, topology.hash_key)
        fills = []
        known: dict[str, Mapping[str, str | None]] = {}
        for resolution in resolutions:
            chain = chains.of(zone, resolution)
            first = chain[0] if chain else ""
            if key is not None and chain and first not in known:
                known[first] = await turns.on_thread(owners, _caches(topology, first), key)
            fills.append(Fill(chain, chains.hub_in(chain, resolution), known.get(first, {})))
        return fills


def _caches(topology: Topology, code: str) -> tuple[Cache, ...]:
    """The caches that share the URLs of a colo or of GENERIC; none if their addresses are not part
    of the topology."""
    try:
        colos = topology.pool() if code == GENERIC else (topology.by_code()[code],)
        found = (_NO_OPTIONS.caches(colo, topology.cache_template) for colo in colos)
        return tuple(cache for caches in found for cache in caches)
    except InvalidExport:
        return ()
