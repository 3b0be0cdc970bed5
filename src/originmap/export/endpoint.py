"""Upstream addresses: the caches of each colo, from the topology or from the operator's options.

The operator's options come first: addresses of one colo, or a template with {colo} in it. Only a
host and a port are accepted, so that formats can write them without escaping.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from originmap.domain.errors import InvalidExport
from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, Cache
from originmap.domain.tier.endpoint import TEMPLATE_FIELD, Endpoint, parse_endpoint
from originmap.domain.tier.topology import Colo

MAX_UPSTREAMS = 2_000
"""Addresses in the options of a node: two for each colo of the largest topology."""
_CODE = re.compile("[A-Z0-9]{2,10}")

Addresses = Mapping[str, tuple[str, ...]]
"""IP addresses by host name."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The operator's options: `colos` and `template`, each of which can be empty. `addresses` has
    the resolved host names; other names are used as they are."""

    template: str = ""
    colos: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=dict)

    @property
    def several(self) -> bool:
        """Whether any colo has several addresses."""
        return any(len(endpoints) > 1 for endpoints in self.colos.values())

    def count(self, colo: Colo) -> int:
        """The number of caches that share the URLs of a colo."""
        return len(self.colos.get(colo.code) or colo.serving) or 1

    def caches(self, colo: Colo, template: str = "") -> tuple[Cache, ...]:
        """The caches of a colo that URLs are assigned to: those of the options, or else of the
        topology, or else one by a template; that of the options comes before `template`, the
        topology's. Raises InvalidExport if there are none."""
        if given := self.colos.get(colo.code):
            return _caches(colo.code, given)
        if colo.caches:
            return colo.serving
        template = self.template or template
        if not template:
            raise InvalidExport(
                f"no upstream address for colo {colo.code}",
                f"add its caches with originmap cache add {colo.code} NAME ADDRESS, set"
                f" cache_template in the topology, or give --upstream {colo.code}=HOST:PORT",
            )
        return _caches(colo.code, [parse(template.replace(TEMPLATE_FIELD, colo.code.lower()))])

    def resolved(self, endpoint: Endpoint, *, a_family: bool = False) -> tuple[Endpoint, ...]:
        """An endpoint for each address if the name has several addresses; with `a_family`, only if
        it has several of one family."""
        addresses = self.addresses.get(endpoint.host, ())
        of_six = sum(":" in address for address in addresses)
        most = max(of_six, len(addresses) - of_six) if a_family else len(addresses)
        if most < 2:
            return (endpoint,)
        return tuple(Endpoint(address, endpoint.port) for address in addresses)

    def servers(self, caches: Iterable[Cache], *, a_family: bool = False) -> tuple[Cache, ...]:
        """The caches, with one for each address of a name, as in `resolved`: iad-1, iad-1__2, which
        is no other cache's name."""
        found = []
        for cache in caches:
            for number, (host, _) in enumerate(self.resolved(cache.endpoint, a_family=a_family), 1):
                name = cache.name + f"__{number}" * (number > 1)
                found.append(replace(cache, name=name, address=host))
        return tuple(found)


def _caches(code: str, endpoints: Iterable[Endpoint]) -> tuple[Cache, ...]:
    """Caches named after their colo, from the second on with a number: iad, iad_2."""
    return tuple(
        Cache(code.lower() + f"_{number}" * (number > 1), endpoint.host, endpoint.port)
        for number, endpoint in enumerate(endpoints, 1)
    )


_HINT = "use a template such as {colo}.cache.example.net:80, or IAD=192.0.2.10:80 for one colo"
_ONE = "give one template; for several caches in a colo give each: IAD=192.0.2.10:80"


def parse(text: str) -> Endpoint:
    """Parse host:port, with an IPv6 address in brackets. Raises InvalidExport."""
    endpoint = parse_endpoint(text)
    if endpoint is None:
        raise _refused(text)
    return endpoint


def read(values: Sequence[str]) -> Endpoints:
    """Parse upstream addresses: a template, and CODE=host:port in any order. A code that is given
    several times means several caches.

    Raises InvalidExport, also for two templates, and for more than MAX_UPSTREAMS or, in a colo,
    MAX_CACHES_OF_COLO.
    """
    if len(values) > MAX_UPSTREAMS:
        raise _too_many(f"{len(values):,} upstream addresses; the limit is {MAX_UPSTREAMS:,}")
    template, colos = "", dict[str, dict[Endpoint, None]]()
    for value in values:
        code, separator, address = value.strip().partition("=")
        if TEMPLATE_FIELD in value:
            parse(value.strip().replace(TEMPLATE_FIELD, "xxx"))
            if template and template != value.strip():
                raise InvalidExport(f"two templates: {template!r} and {value.strip()!r}", _ONE)
            template = value.strip()
        elif separator and _CODE.fullmatch(code.upper()):
            colos.setdefault(code.upper(), {})[parse(address)] = None
        else:
            raise _refused(value)
    for code, given in colos.items():
        if len(given) > MAX_CACHES_OF_COLO:
            limit = f"the limit is {MAX_CACHES_OF_COLO}"
            raise _too_many(f"{len(given):,} upstream addresses for colo {code}; {limit}")
    return Endpoints(template, {code: tuple(given) for code, given in colos.items()})


def _too_many(problem: str) -> InvalidExport:
    return InvalidExport(
        problem, "use a template such as {colo}.cache.example.net:80, or add caches to the topology"
    )


def _refused(text: str) -> InvalidExport:
    return InvalidExport(f"not an upstream address: {text!r}", _HINT)
