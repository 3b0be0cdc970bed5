"""Validation of topologies. Each problem is a sentence; the first 100 are reported together."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from originmap.domain.errors import InvalidTopology
from originmap.domain.problems import first_problems
from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, cache_problems
from originmap.domain.tier.cache_changes import CacheChanges, changed_caches
from originmap.domain.tier.endpoint import TEMPLATE_FIELD, parse_endpoint
from originmap.domain.tier.topology import Colo, ColoState, GenericTier, Topology
from originmap.domain.tier.topology_sizes import change_problems, size_problems

_CODE = re.compile("[A-Z0-9]{2,10}")
_COUNTRY = re.compile("[A-Z]{2}")
_REGION = re.compile(r"[^\x00-\x1f\x7f]{0,64}")
_LONGEST_SECONDS = 1_000_000_000  # over 30 years
_HIGHEST_COST = 60_000.0  # milliseconds, as for a latency
_MOST_ORIGINS = 1_000_000_000


def check(topology: Topology) -> Topology:
    """Validate and return `topology`. Raises InvalidTopology with its problems."""
    return _checked(topology, [])


def with_states(topology: Topology, states: Mapping[str, ColoState]) -> Topology:
    """The topology with other states for some colos, by code. Raises InvalidTopology."""
    return with_changes(topology, states, {})


def with_changes(
    topology: Topology, states: Mapping[str, ColoState], caches: CacheChanges
) -> Topology:
    """The topology with other states for some colos, by code, and with changed caches. Raises
    InvalidTopology with the problems of the changes and of the result."""
    if too_large := list(change_problems(states, caches)):
        raise InvalidTopology(too_large)
    unknown = sorted(states.keys() - topology.by_code().keys())
    changed, problems = changed_caches(topology, caches)
    colos = tuple(replace(colo, state=states.get(colo.code, colo.state)) for colo in changed.colos)
    problems += [f"there is no colo {code}" for code in unknown]
    return _checked(replace(changed, colos=colos), problems)


def _checked(topology: Topology, problems: Sequence[str]) -> Topology:
    too_large = list(size_problems(topology))
    others = (_colo_problems, _cache_problems, _choice_problems, _tier_problems)
    further = chain.from_iterable(problems_of(topology) for problems_of in others)
    found = first_problems(chain(problems, too_large or further))
    if found:
        raise InvalidTopology(found)
    return topology


def _colo_problems(topology: Topology) -> Iterator[str]:
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
        yield from _number_problems(colo)
        if colo.successor is not None and (
            colo.successor not in codes or colo.successor == colo.code
        ):
            yield f"colo {colo.code}: successor {colo.successor} is not another colo"


def _number_problems(colo: Colo) -> Iterator[str]:
    if not (-90 <= colo.latitude <= 90 and -180 <= colo.longitude <= 180):
        yield (
            f"colo {colo.code}: {colo.latitude}, {colo.longitude} are not a latitude from -90"
            " to 90 and a longitude from -180 to 180"
        )
    if not _REGION.fullmatch(colo.region):
        yield f"colo {colo.code}: region must be at most 64 characters, without control characters"
    if not 0 <= colo.cost <= _HIGHEST_COST:
        yield f"colo {colo.code}: cost must be between 0 and {_HIGHEST_COST:g} milliseconds"
    if not 0 < colo.max_share <= 100:
        yield f"colo {colo.code}: max_share must be above 0 and at most 100 percent"


def _cache_problems(topology: Topology) -> Iterator[str]:
    caches = [(colo.code, cache) for colo in topology.colos for cache in colo.caches]
    for colo in topology.colos:
        if len(colo.caches) > MAX_CACHES_OF_COLO:
            yield f"colo {colo.code}: {len(colo.caches)} caches; the limit is {MAX_CACHES_OF_COLO}"
    for code, cache in caches:
        yield from (f"colo {code}: {problem}" for problem in cache_problems(cache))
    yield from _twice((cache.name for _, cache in caches), "name")
    yield from _twice((cache.endpoint.text for _, cache in caches), "address")
    owners = {colo.code.lower(): colo.code for colo in topology.colos}
    for code, cache in caches:
        if owners.get(cache.name, code) != code:
            yield f"colo {code}: cache {cache.name} has the code of colo {owners[cache.name]}"
    template = topology.cache_template
    if template and not _is_template(template):
        yield (
            f"cache_template {template!r} is not an address with {TEMPLATE_FIELD} in it, such as"
            " {colo}.cache.example.net:80"
        )


def _twice(values: Iterable[str], what: str) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{count} caches have the {what} {value}"


def _is_template(text: str) -> bool:
    named = text.replace(TEMPLATE_FIELD, "xxx")
    return TEMPLATE_FIELD in text and parse_endpoint(named) is not None


def _choice_problems(topology: Topology) -> Iterator[str]:
    if not topology.eligible():
        yield "no colo can be an upper tier: at least one must be eligible, and active or draining"
    codes = topology.by_code().keys()
    for region, colos in topology.overrides.items():
        if region.count("/") != 1:
            yield f'override {region!r}: write the region as "vendor/region"'
        yield from _list_problems(f"override {region}", colos, codes)
    if not 0 <= topology.apart_km <= 20_000:
        yield "apart_km must be between 0 and 20000"
    if not 0 <= topology.fallbacks <= 10:
        yield "fallbacks must be between 0 and 10"
    if not 1 <= topology.latency_seconds <= _LONGEST_SECONDS:
        yield f"latency_seconds must be between 1 and {_LONGEST_SECONDS}"
    for place, origins in topology.origins.items():
        if place.count("/") != 1 or not 0 <= origins <= _MOST_ORIGINS:
            yield f'origins {place!r}: write a number of origins for each "vendor/region"'


def _list_problems(what: str, listed: Sequence[str], codes: Collection[str]) -> Iterator[str]:
    if not listed:
        yield f"{what}: name at least one colo"
    yield from (f"{what}: there is no colo {code}" for code in listed if code not in codes)


def _tier_problems(topology: Topology) -> Iterator[str]:
    if not topology.hash_key or len(set(topology.hash_key)) < len(topology.hash_key):
        yield "hash_key must have at least one of host, path and query, each once"
    codes = topology.by_code().keys()
    regions = {colo.network_region for colo in topology.colos}
    for region, hubs in topology.hubs.items():
        if region not in regions:
            yield f"hubs {region!r}: no colo is in this region"
        yield from _list_problems(f"hubs {region}", hubs, codes)
    for code in topology.generic_pool:
        if code not in codes:
            yield f"generic_pool: there is no colo {code}"
    if topology.generic is GenericTier.HASH and topology.eligible() and not topology.pool():
        yield "generic_pool: no colo of it can be an upper tier in its state"
