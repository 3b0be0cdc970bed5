"""Varnish, if URLs are assigned to caches by consistent hashing: a shard director for each colo.

The hint and the header X-Originmap-Colo are set together, when a request arrives: a colo whose
director is healthy is used, and otherwise the next one of the chain. A director is healthy if the
probe of any of its caches succeeds, and its ring has the caches by name, so that a cache that
leaves moves only its own URLs.

A request that has the header already goes to the origin, except on a regional hub. Others are
passed to sibling caches, and are not stored: the owner of the URL stores it, and if that is this
node itself, the request that it sends to itself would wait for the first one to be stored.
"""

from collections.abc import Collection, Iterable, Iterator
from textwrap import indent

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.rings.varnish import REPLICAS
from originmap.domain.tier.topology import HashPart
from originmap.export.node import HOP, HUB, Node

_FROM = "req.http.X-Originmap-From"
_HOP = f"req.http.{HOP}"
_HOST = 'std.tolower(regsub(req.http.Host, ":[0-9]*$", ""))'
_OF_URL = {
    (HashPart.PATH,): r'regsub(req.url, "\?.*$", "")',
    (HashPart.QUERY,): r'regsub(req.url, "^[^?]*\??", "")',
    (HashPart.PATH, HashPart.QUERY): "req.url",
}


def named(kind: str, chain: Chain) -> str:
    """A name such as originmap_fill_iad_ewr. No code of a colo has a hyphen, as generic has."""
    if chain == (GENERIC,):
        return f"originmap_{kind}-generic"
    return "_".join(["originmap", kind, *(code.lower() for code in chain)])


def backends(node: Node, chains: Iterable[Chain]) -> Iterator[bytes]:
    """Write the backends and the directors of chains."""
    members = sorted({code for chain in chains for code in chain})
    for colo in sorted({colo for code in members for colo in node.colos_in(code)}):
        yield "".join(_backend(colo, cache) for cache in _caches(node, colo)).encode()
    yield b"\nsub vcl_init {\n"
    for code in members:
        yield _director(node, code).encode()
    yield b"}\n\n"


def fills(node: Node, chains: Collection[Chain]) -> Iterator[bytes]:
    """Write a sub for each colo, and one for each chain, which leaves the hint for the origin."""
    key = _key(node.hash_key)
    members = sorted({code for chain in chains for code in chain})
    yield "".join(_to(code, key) for code in members).encode()
    yield "".join(_fill(node, chain) for chain in sorted(chains)).encode()


def _fill(node: Node, chain: Chain) -> str:
    inside = node.leads_inside(chain)
    body = _relay(chain[0]) if inside else _first_healthy(chain, hub=node.through_hub(chain))
    return f"sub {named('fill', chain)} {{\n{body}}}\n"


def choose(calls: Iterable[str]) -> bytes:
    """Write originmap_choose, which takes the header from the request before a sub sets it."""
    inner = indent("".join(calls), "    ")
    return (
        f"sub originmap_choose {{\n    set {_FROM} = {_HOP};\n    unset {_HOP};\n"
        f'    if ({_FROM} == "" || {_FROM} == "{HUB}") {{\n{inner}    }}\n'
        f"    unset {_FROM};\n}}\n"
    ).encode()


def _caches(node: Node, code: str) -> tuple[Cache, ...]:
    return node.servers(code, a_family=True)


def _backend(code: str, cache: Cache) -> str:
    return (
        f"backend {_name(code, cache)} {{\n"
        f'    .host = "{cache.address}";\n    .port = "{cache.port}";\n'
        "    .probe = originmap_probe;\n}\n"
    )


# Codes of colos have no underscores, so these names cannot clash with others.
def _name(code: str, cache: Cache) -> str:
    return f"originmap_b_{code.lower()}_{cache.name}"


def _ring(code: str) -> str:
    return named("r", (code,))


def _director(node: Node, code: str) -> str:
    ring = _ring(code)
    adds = "".join(
        f'    {ring}.add_backend({_name(colo, cache)}, "{cache.name}", weight={cache.weight}.0);\n'
        for colo in sorted(node.colos_in(code))
        for cache in _caches(node, colo)
    )
    return f"    new {ring} = directors.shard();\n{adds}    {ring}.reconfigure({REPLICAS});\n"


def _key(parts: Collection[HashPart]) -> str:
    of_url = uri_parts(parts)
    texts = [_HOST] * (HashPart.HOST in parts) + [_OF_URL[of_url]] * bool(of_url)
    return " + ".join(texts)


def _to(code: str, key: str) -> str:
    ring = _ring(code)
    return (
        f"sub {named('to', (code,))} {{\n"
        f"    set req.backend_hint = {ring}.backend(by=KEY, key={ring}.key({key}));\n"
        f'    set {_HOP} = "{code}";\n}}\n'
    )


def _first_healthy(chain: Chain, *, hub: bool) -> str:
    """A request that was sent to this node as a hub does not go to another `hub`."""
    calls = [_call(code) for code in chain]
    tests = ""
    if hub:
        calls[0] += f'\n        set {_HOP} = "{HUB}";'
        tests = f'if ({_FROM} == "{HUB}") {{\n    }} else '
    tests += "".join(
        f"if (std.healthy({_ring(code)}.backend())) {{\n        {call}\n    }} else "
        for code, call in zip(chain[:-1], calls, strict=False)
    )
    last = calls[-1]
    return f"    {tests}{{\n        {last}\n    }}\n" if tests else f"    {last}\n"


def _relay(code: str) -> str:
    return (
        f"    if (std.healthy({_ring(code)}.backend())) {{\n"
        f"        {_call(code)}\n        unset {_FROM};\n        return (pass);\n    }}\n"
    )


def _call(code: str) -> str:
    return f"call {named('to', (code,))};"
