"""The topology: which colos the cache network consists of, and what state each is in.

Owns what a colo is and which topologies make sense. Where the packaged one is kept is left to
`data`, and which colo becomes the upper tier of a region to `domain.tier.tier`.
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
"""Three times as many as the largest network has; work on a topology is bounded by it."""


class ColoState(StrEnum):
    """What a colo may be chosen for."""

    ACTIVE = "active"
    DRAINING = "draining"  # only where no active one is left
    DOWN = "down"  # not at all
    RETIRED = "retired"  # not at all, and not coming back; `successor` stands in for it


@dataclass(frozen=True, slots=True)
class Colo:
    """One data centre of the cache network.

    `code` names it, an IATA code or the operator's own, and is unique in a topology; `country` is
    an ISO 3166-1 alpha-2 code. The coordinates are in decimal degrees. Only an `eligible` colo
    can be an upper tier.
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
        """Whether it can be chosen as an upper tier now."""
        return self.eligible and self.state in (ColoState.ACTIVE, ColoState.DRAINING)

    @property
    def draining(self) -> bool:
        """Whether it is chosen only after every active one."""
        return self.state is ColoState.DRAINING


@dataclass(frozen=True, slots=True)
class Topology:
    """The colos, and how upper tiers are chosen from them.

    `overrides` names, for a region written "vendor/region", the colos to be tried first, in
    their order. Fallbacks are at least `apart_km` from every colo before them, and there are at
    most `fallbacks`. A latency measurement counts for `latency_seconds`.
    """

    colos: tuple[Colo, ...]
    overrides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart_km: float = 150.0
    fallbacks: int = 1
    latency_seconds: int = 7 * 24 * 3600

    @property
    def id(self) -> str:
        """There is one topology in a database."""
        return "topology"

    def by_code(self) -> dict[str, Colo]:
        """The colos by their codes."""
        return {colo.code: colo for colo in self.colos}

    def eligible(self) -> tuple[Colo, ...]:
        """The colos that can be chosen now, active ones first, then by code."""
        usable = [colo for colo in self.colos if colo.usable]
        return tuple(sorted(usable, key=lambda colo: (colo.draining, colo.code)))

    def successors(self) -> dict[str, str]:
        """The colo that stands in for each retired one with a successor."""
        retired = {c.code: c.successor for c in self.colos if c.state is ColoState.RETIRED}
        found: dict[str, str] = {}
        for code in retired:
            path: dict[str, None] = {}
            while (follows := retired.get(code)) and code not in path and code not in found:
                path[code] = None
                code = follows
            last = found.get(code, code)  # in a circle, any of it: all of it is retired
            found.update(dict.fromkeys(path, last))
        return found

    def successor_of(self, code: str) -> str:
        """The colo that stands in for `code`: itself, unless it is retired with a successor."""
        return self.successors().get(code, code)


def check(topology: Topology) -> Topology:
    """`topology` itself, if it makes sense. Raises InvalidTopology with everything wrong."""
    problems = [*_colo_problems(topology), *_choice_problems(topology)]
    if problems:
        raise InvalidTopology(problems)
    return topology


def with_states(topology: Topology, states: Mapping[str, ColoState]) -> Topology:
    """The topology after some colos, by code, got another state. Raises InvalidTopology."""
    unknown = sorted(states.keys() - topology.by_code().keys())
    if unknown:
        raise InvalidTopology([f"there is no colo {code}" for code in unknown])
    colos = tuple(replace(colo, state=states.get(colo.code, colo.state)) for colo in topology.colos)
    return check(replace(topology, colos=colos))


def _colo_problems(topology: Topology) -> Iterator[str]:
    if len(topology.colos) > MAX_COLOS:
        yield f"more than {MAX_COLOS} colos"
    seen: set[str] = set()
    codes = topology.by_code().keys()
    for colo in topology.colos:
        if not _CODE.fullmatch(colo.code):
            yield f"colo {colo.code!r}: a code is 2 to 10 capital letters and digits"
        if not _COUNTRY.fullmatch(colo.country):
            yield f"colo {colo.code}: a country is 2 capital letters, as in ISO 3166-1"
        if colo.code in seen:
            yield f"colo {colo.code} is there twice"
        seen.add(colo.code)
        if not (-90 <= colo.latitude <= 90 and -180 <= colo.longitude <= 180):
            yield f"colo {colo.code}: no such place as {colo.latitude}, {colo.longitude}"
        if colo.successor is not None and (
            colo.successor not in codes or colo.successor == colo.code
        ):
            yield f"colo {colo.code}: there is no other colo {colo.successor}"


def _choice_problems(topology: Topology) -> Iterator[str]:
    if not topology.eligible():
        yield "no colo can be an upper tier: none is eligible and active or draining"
    codes = topology.by_code().keys()
    for region, colos in topology.overrides.items():
        if region.count("/") != 1:
            yield f'override {region!r}: a region is written "vendor/region"'
        if not colos:
            yield f"override {region}: it names no colo"
        for code in colos:
            if code not in codes:
                yield f"override {region}: there is no colo {code}"
    if not 0 <= topology.apart_km <= 20_000:
        yield "apart_km must be between 0 and 20000"
    if not 0 <= topology.fallbacks <= 10:
        yield "fallbacks must be between 0 and 10"
    if not 1 <= topology.latency_seconds <= _LONGEST_SECONDS:
        yield f"latency_seconds must be between 1 and {_LONGEST_SECONDS}"
