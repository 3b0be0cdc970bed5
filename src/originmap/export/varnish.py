"""Varnish: VCL with a backend for each colo, a fallback director for each chain, and
originmap_choose, which sets req.backend_hint.

The operator defines the probe originmap_probe and a backend for the origin, sets
req.http.X-Originmap-Zone and X-Originmap-IP, and calls originmap_choose, which leaves the hint
unchanged for an origin without upper tier. Addresses are in ACLs with +table (Varnish 7.0), which
compile fast.

A host name with several addresses of one family becomes several backends with a round-robin
director, which replaces the colo's backend.

`varnish_caches` writes the backends if URLs are assigned to caches by consistent hashing.

Each change compiles the VCL again, and Varnish probes each backend, so only used backends are
written. They come last, because the used ones are known only after all zones; zones refer to them
by name.
"""

from collections.abc import Container, Iterator, Sequence

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import Chain
from originmap.export.format import Writer
from originmap.export.node import Node, ZonePart
from originmap.export.shared import varnish_caches
from originmap.export.shared.varnish_caches import named

_ADDRESS = 'std.ip(req.http.X-Originmap-IP, "0.0.0.0")'


class Varnish(Writer):
    """Writes the VCL."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._calls: dict[str, str] = {}
        self._used: dict[str, set[Chain]] = {}

    def start(self) -> Iterator[bytes]:
        yield b"vcl 4.1;\n\nimport directors;\nimport std;\n\n"

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        self._used[part.id] = {part.default, *(row.chain for row in part.rows)} - {()}
        by_chain: dict[Chain, list[str]] = {}
        for row in part.rows:
            if row.chain != part.default:
                by_chain.setdefault(row.chain, []).append(addresses.text(row.address))
        tests = []
        for chain, texts in sorted(by_chain.items()):
            acl = named(f"a_{part.id}", chain)
            hosts = "".join(f'    "{text}";\n' for text in texts)
            yield f"acl {acl} +table {{\n{hosts}}}\n".encode()
            tests.append(f"if ({_ADDRESS} ~ {acl}) {{\n{_fill(chain)}    }} else")
        body = f"    {' '.join([*tests, ''])}{{\n{_fill(part.default)}    }}\n"
        sub = f"originmap_z_{part.id}"
        yield f"sub {sub} {{\n{body}}}\n\n".encode()
        self._calls[part.id] = (
            f'    if (req.http.X-Originmap-Zone == "{part.name}") {{\n        call {sub};\n    }}\n'
        )

    def gone(self, zone_id: str) -> None:
        self._calls.pop(zone_id, None)
        self._used.pop(zone_id, None)

    def end(self) -> Iterator[bytes]:
        used = set[Chain]().union(*self._used.values())
        calls = [self._calls[zone_id] for zone_id in sorted(self._calls)]
        # Varnish rejects a probe that no backend uses, so at least one backend is written.
        chains = sorted(used) or self._node.chains[:1]
        if self._node.hashed:
            yield from varnish_caches.backends(self._node, chains)
            yield from varnish_caches.fills(self._node, used)
            yield varnish_caches.choose(calls)
            return
        yield from self._backends(chains)
        yield "".join(map(_sub, sorted(used))).encode()
        yield f"sub originmap_choose {{\n{''.join(calls)}}}\n".encode()

    def _backends(self, chains: Sequence[Chain]) -> Iterator[bytes]:
        several = dict[str, int]()
        for code in sorted({code for chain in chains for code in chain}):
            endpoints = self._node.endpoints(code, a_family=True)
            for number, endpoint in enumerate(endpoints, 1):
                yield (
                    f"backend {_backend(code, number)} {{\n"
                    f'    .host = "{endpoint.host}";\n    .port = "{endpoint.port}";\n'
                    "    .probe = originmap_probe;\n}\n"
                ).encode()
            if len(endpoints) > 1:
                several[code] = len(endpoints)
        turns = "".join(_in_turn(code, count) for code, count in several.items())
        news = "".join(_new(chain, several) for chain in chains)
        yield f"\nsub vcl_init {{\n{turns}{news}}}\n\n".encode()


# The code of a colo has at least two characters, so these names cannot clash with others.
def _backend(code: str, number: int = 1) -> str:
    return f"originmap_b_{code.lower()}" + f"_{number}" * (number > 1)


def _in_turn(code: str, count: int) -> str:
    """A director for a colo whose name has several addresses, because Varnish rejects such a name
    in a backend."""
    director = named("r", (code,))
    backends = (_backend(code, number + 1) for number in range(count))
    adds = "".join(f"    {director}.add_backend({backend});\n" for backend in backends)
    return f"    new {director} = directors.round_robin();\n{adds}"


def _new(chain: Chain, several: Container[str]) -> str:
    director = named("d", chain)
    backends = (
        f"{named('r', (code,))}.backend()" if code in several else _backend(code) for code in chain
    )
    adds = "".join(f"    {director}.add_backend({backend});\n" for backend in backends)
    return f"    new {director} = directors.fallback();\n{adds}"


def _sub(chain: Chain) -> str:
    hint = f"set req.backend_hint = {named('d', chain)}.backend();"
    return f"sub {named('fill', chain)} {{\n    {hint}\n}}\n"


def _fill(chain: Chain) -> str:
    return f"        call {named('fill', chain)};\n" if chain else ""
