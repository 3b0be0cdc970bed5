"""The topology: the colos of the cache network, with their state.

Owns the type of a colo and the validation of topologies. `originmap.data` has the packaged
topology, and `domain.tier.tier` chooses the upper tier of a region.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from originmap.domain.errors import InvalidTopology

_CODE = re.compile("[A-Z0-9]{2,10}")
_COUNTRY = re.compile("[A-Z]{2}")
_LONGEST_SECONDS = 1_000_000_000  # over 30 years
MAX_COLOS = 1000
"""Three times the size of the largest cache network; it bounds the work on a topology."""


class ColoState(StrEnum):
    """The state of a colo, which decides whether it can be an upper tier."""

    ACTIVE = "active"
    DRAINING = "draining"  # used only if there is no active colo
    DOWN = "down"  # not used
    RETIRED = "retired"  # not used, for good; `successor` replaces it


@dataclass(frozen=True, slots=True)
class Colo:
    """One data centre of the cache network.

    `code` is unique in a topology: an IATA code, or the operator's own. `country` is an ISO 3166-1
    alpha-2 code. The coordinates are in decimal degrees. Only an `eligible` colo can be an upper
    tier.
    """

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    eligible: bool = True
    state: ColoState = ColoState.ACTIVE
    successor: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the colo can be an upper tier in its current state."""
        return self.eligible and self.state in (ColoState.ACTIVE, ColoState.DRAINING)

    @property
    def draining(self) -> bool:
        """Whether the colo ranks after every active one."""
        return self.state is ColoState.DRAINING


@dataclass(frozen=True, slots=True)
class Topology:
    """The colos, and the settings for the choice of upper tiers.

    `overrides` has, for a region "vendor/region", the colos that rank first, in order. There are
    at most `fallbacks` fallbacks, each at least `apart_km` away from every colo before it. A
    latency measurement expires after `latency_seconds`.
    """

    colos: tuple[Colo, ...]
    overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart_km: float = 150.0
    fallbacks: int = 1
    latency_seconds: int = 7 * 24 * 3600

    @property
    def id(self) -> str:
        """Constant: a database has one topology."""
        return "topology"

    def by_code(self) -> dict[str, Colo]:
        """The colos by their codes."""
        return {colo.code: colo for colo in self.colos}

    def eligible(self) -> tuple[Colo, ...]:
        """The colos that can be an upper tier in their current state, active ones first, then by
        code."""
        usable = [colo for colo in self.colos if colo.usable]
        return tuple(sorted(usable, key=lambda colo: (colo.draining, colo.code)))

    def successors(self) -> dict[str, str]:
        """The final successor of each retired colo that has one."""
        retired = {c.code: c.successor for c in self.colos if c.state is ColoState.RETIRED}
        successors: dict[str, str] = {}
        for code in retired:
            path: dict[str, None] = {}
            while (follows := retired.get(code)) and code not in path and code not in successors:
                path[code] = None
                code = follows
            last = successors.get(code, code)  # any colo of a cycle, since all of it is retired
            successors.update(dict.fromkeys(path, last))
        return successors


def check(topology: Topology) -> Topology:
    """Validate and return `topology`. Raises InvalidTopology with all problems."""
    problems = [*_colo_problems(topology), *_choice_problems(topology)]
    if problems:
        raise InvalidTopology(problems)
    return topology


def with_states(topology: Topology, states: Mapping[str, ColoState]) -> Topology:
    """The topology with other states for some colos, by code. Raises InvalidTopology."""
    unknown = sorted(states.keys() - topology.by_code().keys())
    if unknown:
        raise InvalidTopology([f"there is no colo {code}" for code in unknown])
    colos = tuple(replace(colo, state=states.get(colo.code, colo.state)) for colo in topology.colos)
    return check(replace(topology, colos=colos))


def _colo_problems(topology: Topology) -> Iterator[str]:
    if len(topology.colos) > MAX_COLOS:
        yield f"{len(topology.colos):,} colos; the limit is {MAX_COLOS:,}"
    seen: set[str] = set()
    codes = topology.by_code().keys()
    for colo in topology.colos:
        if not _CODE.fullmatch(colo.code):
            yield f"colo {colo.code!r}: a code must be 2 to 10 capital letters and digits"
        if not _COUNTRY.fullmatch(colo.country):
            yield f"colo {colo.code}: country must be 2 capital letters, as in ISO 3166-1"
        if colo.code in seen:
            yield f"colo {colo.code} is in the topology twice"
        seen.add(colo.code)
        if not (-90 <= colo.latitude <= 90 and -180 <= colo.longitude <= 180):
            yield (
                f"colo {colo.code}: {colo.latitude}, {colo.longitude} are not a latitude from -90"
                " to 90 and a longitude from -180 to 180"
            )
        if colo.successor is not None and (
            colo.successor not in codes or colo.successor == colo.code
        ):
            yield f"colo {colo.code}: successor {colo.successor} is not another colo"


def _choice_problems(topology: Topology) -> Iterator[str]:
    if not topology.eligible():
        yield "no colo can be an upper tier: at least one must be eligible, and active or draining"
    codes = topology.by_code().keys()
    for region, colos in topology.overrides.items():
        if region.count("/") != 1:
            yield f'override {region!r}: write the region as "vendor/region"'
        if not colos:
            yield f"override {region}: name at least one colo"
        for code in colos:
            if code not in codes:
                yield f"override {region}: there is no colo {code}"
    if not 0 <= topology.apart_km <= 20_000:
        yield "apart_km must be between 0 and 20000"
    if not 0 <= topology.fallbacks <= 10:
        yield "fallbacks must be between 0 and 10"
    if not 1 <= topology.latency_seconds <= _LONGEST_SECONDS:
        yield f"latency_seconds must be between 1 and {_LONGEST_SECONDS}"
