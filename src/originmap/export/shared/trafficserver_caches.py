"""Traffic Server, if URLs are assigned to caches by consistent hashing: a ring for each colo.

Only strategies ask sibling caches. parent.config fills from the origin in place of them, so that
requests from other caches cannot go in circles: a site passes these through rules without a
strategy. parent.config has two rings at most, of the first colo and of the next one.

A cache has 1,024 points on a ring for each unit of its weight, by its name, so that a cache that
leaves moves only its own URLs.
"""

from collections.abc import Collection, Iterator

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.topology import HashPart
from originmap.export.node import Node

_HOST, _PATH, _QUERY = HashPart.HOST, HashPart.PATH, HashPart.QUERY
_KEYS = {
    frozenset({_HOST, _PATH, _QUERY}): "url",
    frozenset({_PATH, _QUERY}): "path+query",
    frozenset({_HOST, _PATH}): "path",
    frozenset({_PATH}): "path",
    frozenset({_HOST, _QUERY}): "hostname",
    frozenset({_HOST}): "hostname",
    frozenset({_QUERY}): "path+query",
}
"""The strategy's key with the most of the parts and no others, if there is one."""

_MAX_GROUPS = 5
"""Traffic Server ignores the groups after these."""


def parents(node: Node, chain: Chain) -> str:
    """The parents of a chain in parent.config."""
    if not chain or node.leads_inside(chain):
        return "go_direct=true"
    rings = [f'parent="{_parents(node, chain[0])}"']
    if len(chain) > 1:
        rings.append(f'secondary_parent="{_parents(node, chain[1])}" secondary_mode=2')
    query = "consider" if _QUERY in node.hash_key else "ignore"
    return f"{' '.join(rings)} round_robin=consistent_hash qstring={query} go_direct=true"


def groups(node: Node) -> Iterator[bytes]:
    """Write the hosts and groups of strategies.yaml."""
    members = node.members()
    named = sorted({colo for code in members for colo in node.colos_in(code)})
    yield b"hosts:\n"
    for code in named:
        yield "".join(_host(code, cache) for cache in node.caches(code)).encode()
    yield b"groups:\n"
    for code in members:
        yield f"  - &{_group(code)}\n".encode()
        for colo in node.colos_in(code):
            yield "".join(_member(colo, cache) for cache in node.caches(colo)).encode()


def strategy(node: Node, chain: Chain) -> str:
    """The lines of a strategy after its name. A sibling that fails leaves the origin."""
    siblings = node.leads_inside(chain)
    return (
        f"    policy: consistent_hash\n    hash_key: {_key(node.hash_key)}\n    go_direct: true\n"
        + "    cache_peer_result: false\n" * siblings
        + "    groups:\n"
        + "".join(f"      - *{_group(code)}\n" for code in chain[:_MAX_GROUPS])
        + f"    failover:\n      ring_mode: {'peering' if siblings else 'exhaust'}_ring\n"
    )


def _parents(node: Node, code: str) -> str:
    return ";".join(
        f"{cache.endpoint.text}|{cache.weight}.0&{cache.name}" for cache in node.caches(code)
    )


def _group(code: str) -> str:
    """The name of a colo's group. No code of a colo has a hyphen."""
    return "originmap_g-generic" if code == GENERIC else f"originmap_g_{code.lower()}"


# Codes of colos have no underscores, so these names cannot clash with others.
def _name(code: str, cache: Cache) -> str:
    return f"originmap_h_{code.lower()}_{cache.name}"


def _host(code: str, cache: Cache) -> str:
    return (
        f"  - &{_name(code, cache)}\n    host: '{cache.address}'\n    hash_string: '{cache.name}'\n"
        f"    protocol:\n      - port: {cache.port}\n"
    )


def _member(code: str, cache: Cache) -> str:
    return f"    - <<: *{_name(code, cache)}\n      weight: {cache.weight}.0\n"


def _key(parts: Collection[HashPart]) -> str:
    return _KEYS[frozenset(parts)]
