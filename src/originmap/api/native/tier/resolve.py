"""Upper tiers of origins: GET /originmap/v1/zones/{zone}/resolve, POST …/whatif."""

from collections.abc import Iterable, Sequence

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, flag, read_large
from originmap.domain.access.permissions import READ_MAPPINGS
from originmap.domain.errors import InvalidQuery
from originmap.domain.mapping import address as addresses
from originmap.domain.tier.key_moves import hub_moves, key_moves
from originmap.domain.tier.resolution import Resolution
from originmap.domain.tier.tier import Ranked
from originmap.domain.tier.topology import ColoState, Topology
from originmap.domain.tier.topology_sizes import size_of
from originmap.domain.tier.whatif import Move
from originmap.domain.zone.zone import Zone
from originmap.service.access.directory import Directory
from originmap.service.tier.owners import Fill, Owners
from originmap.service.tier.resolve import MAX_IPS, Resolve
from originmap.service.tier.topology_json import TopologyJSON, topology_of
from originmap.service.turns import Turns

_HUBS = 1
"""Hubs that are found in one turn; each takes up to 5 ms for a thousand colos."""
_FEW = 10
"""With more addresses, the request waits for a turn."""


class ZoneResolve:
    """GET /originmap/v1/zones/{zone}/resolve; the zone by ID or name."""

    def __init__(
        self, guard: Guard, directory: Directory, resolve: Resolve, owners: Owners
    ) -> None:
        self._guard = guard
        self._directory = directory
        self._resolve = resolve
        self._owners = owners

    async def resolve(self, request: Request) -> Response:
        """The upper tier and fallbacks of each `ip`, or with `pool=true` one result for all; with
        `explain=true`, the whole ranking; with `colo` or `url`, what a node there fills from."""
        zone = self._directory.existing_zone(request.zone_id)
        values = arguments(request, ("ip", "pool", "explain", "colo", "url"))
        texts = values.get("ip", [])
        if not 1 <= len(texts) <= MAX_IPS:
            raise InvalidQuery(f"ip must be given 1 to {MAX_IPS} times")
        requested = [addresses.parse(text) for text in texts]
        pool, explain = flag(values, "pool"), flag(values, "explain")
        if len(texts) > _FEW:
            await self._resolve.turns.next()
        if pool:
            answer = await self._resolve.pool(zone, requested)
            ips: list[object] = [[addresses.text(address) for address in requested]]
        else:
            answer = await self._resolve.each(zone, requested)
            ips = [addresses.text(address) for address in requested]
        name = "origin_ips" if pool else "origin_ip"
        fills = await self._fills(zone, answer.resolutions, values)
        self._guard.charge(request, len(texts))
        origins = list[msgspec.Raw]()
        for ip, resolution, fill in zip(ips, answer.resolutions, fills, strict=True):
            if explain and (pool or origins):  # a ranking takes milliseconds
                await self._resolve.turns.next()
            members = resolution_json(resolution, explain=explain)
            origins.append(envelope.raw({name: ip, **members, **fill}))
        return Response(envelope.success({"origins": origins, "revision": answer.revision}))

    async def _fills(
        self, zone: Zone, resolutions: Sequence[Resolution], values: dict[str, list[str]]
    ) -> Sequence[dict[str, object]]:
        colo, url = values.get("colo", [None])[-1], values.get("url", [None])[-1]
        if colo is None and url is None:
            return [{}] * len(resolutions)
        fills = await self._owners.fills(zone, resolutions, colo and colo.upper(), url)
        return [_fill_json(fill, with_url=url is not None) for fill in fills]


class WhatIf:
    """POST /originmap/v1/whatif"""

    def __init__(self, guard: Guard, resolve: Resolve, turns: Turns) -> None:
        self._guard = guard
        self._turns = turns
        self._resolve = resolve

    async def what_if(self, request: Request) -> Response:
        """The origins that would move, in the zones that the caller can read, if some colos had
        other `states`, or with another `topology`."""
        question = await read_large(request, _QUESTION, self._turns)
        if (question.states is None) == (question.topology is None):
            raise InvalidQuery("exactly one of states and topology is required")
        zones = self._guard.access.readable_zones(request.caller, READ_MAPPINGS)
        if question.topology is not None:
            self._guard.charge(request, size_of(question.topology))
            after = await self._turns.on_thread(topology_of, question.topology)
        else:
            self._guard.charge(request, len(question.states or {}))
            after = self._resolve.with_states(question.states or {})
        moves = await self._resolve.moves(after, zones)
        await self._turns.next()
        return Response(envelope.success(moves_json(moves) | await self._changes(after, zones)))

    async def _changes(self, after: Topology, zones: Iterable[Zone]) -> dict[str, object]:
        """The changes of caches, and of hubs if a zone uses them, as JSON."""
        before = self._resolve.current
        urls = [{"colo": m.colo, "share": round(m.share, 4)} for m in key_moves(before, after)]
        hubs = list[dict[str, object]]()
        if not any(zone.regional_tiered_cache.on for zone in zones):
            return {"urls": urls, "regional_hubs": hubs}
        for number, move in enumerate(hub_moves(before, after)):
            if number % _HUBS == 0:
                await self._turns.next()
            if move.before != move.after:
                hubs.append(move._asdict())
        return {"urls": urls, "regional_hubs": hubs}


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    states: dict[str, ColoState] | None = None
    topology: TopologyJSON | None = None


_QUESTION = msgspec.json.Decoder(_Question)


def resolution_json(resolution: Resolution, *, explain: bool) -> dict[str, object]:
    """Encode a resolution."""
    place, tier = resolution.place, resolution.tier
    answer: dict[str, object] = {
        "vendor": place.vendor if place else None,
        "region": place.region if place else None,
        "mode": resolution.mode,
        "primary": _ranked_json(tier.primary) if tier else None,
        "fallbacks": [_ranked_json(ranked) for ranked in tier.fallbacks] if tier else [],
        "upper_tier_colos": [r.colo.code for r in tier.chosen] if tier else resolution.eligible,
        "reason": resolution.reason,
    }
    if explain and tier:
        answer["ranking"] = [_ranked_json(ranked) for ranked in tier.ranking]
    return answer


def _fill_json(fill: Fill, *, with_url: bool) -> dict[str, object]:
    members: dict[str, object] = {"chain": fill.chain, "regional_hub": fill.hub}
    return members | ({"owners": fill.owners} if with_url else {})


def moves_json(moves: list[Move]) -> dict[str, object]:
    """Encode the result of a what-if: the totals, then each move."""
    return {
        "cold_origins": sum(move.origins for move in moves if move.cold),
        "moved_origins": sum(move.origins for move in moves),
        "moves": [
            {
                "zone_id": move.zone_id,
                "vendor": move.place.vendor if move.place else None,
                "region": move.place.region if move.place else None,
                "pool": move.pool,
                "origins": move.origins,
                "before": move.before,
                "after": move.after,
                "cold": move.cold,
            }
            for move in moves
        ],
    }


def _ranked_json(ranked: Ranked) -> dict[str, object]:
    return {
        "colo": ranked.colo.code,
        "basis": ranked.basis,
        "distance_km": round(ranked.distance_km, 1),
        "latency_ms": ranked.latency_ms,
        "state": ranked.colo.state,
    }
