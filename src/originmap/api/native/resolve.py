"""Upper tiers of origins: GET /originmap/v1/zones/{zone}/resolve, POST …/whatif."""

import msgspec

from originmap.api import envelope
from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, flag, read_large
from originmap.domain.access.permissions import READ_MAPPINGS
from originmap.domain.errors import InvalidQuery
from originmap.domain.mapping import address as addresses
from originmap.domain.tier.resolution import Resolution
from originmap.domain.tier.tier import Ranked
from originmap.domain.tier.topology import ColoState
from originmap.domain.tier.whatif import Move
from originmap.service.access.directory import Directory
from originmap.service.tier.resolve import MAX_IPS, Resolve
from originmap.service.tier.topology_json import TopologyJSON, topology_of
from originmap.service.turns import Turns

_FEW = 10
"""With more addresses, the request waits for a turn."""


class ZoneResolve:
    """GET /originmap/v1/zones/{zone}/resolve; the zone by ID or name."""

    def __init__(self, guard: Guard, directory: Directory, resolve: Resolve) -> None:
        self._guard = guard
        self._directory = directory
        self._resolve = resolve

    async def resolve(self, request: Request) -> Response:
        """The upper tier and fallbacks of each `ip`, or with `pool=true` one result for all; with
        `explain=true`, the whole ranking."""
        zone = self._directory.existing_zone(request.zone_id)
        values = arguments(request, ("ip", "pool", "explain"))
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
        self._guard.charge(request, len(texts))
        origins = list[msgspec.Raw]()
        for ip, resolution in zip(ips, answer.resolutions, strict=True):
            if explain and (pool or origins):  # a ranking takes milliseconds
                await self._resolve.turns.next()
            origins.append(envelope.raw({name: ip, **resolution_json(resolution, explain=explain)}))
        return Response(envelope.success({"origins": origins, "revision": answer.revision}))


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
            self._guard.charge(request, len(question.topology.colos))
            await self._turns.next()
            moves = await self._resolve.moves(topology_of(question.topology), zones)
        else:
            moves = await self._resolve.moves_of_states(question.states or {}, zones)
        await self._turns.next()
        return Response(envelope.success(moves_json(moves)))


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
