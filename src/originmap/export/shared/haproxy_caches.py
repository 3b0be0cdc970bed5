"""HAProxy, if URLs are assigned to caches by consistent hashing: a backend for each chain.

The caches of the first colo share the URLs, and if none of them is up, those of all colos after it,
which are backup servers. A backend cannot set a header for each server, so X-Originmap-Colo has the
code of the first colo, or HUB.

A request that has the header already goes to the origin, except on a regional hub. A backend cannot
send it there, so the operator's frontend must; without that line the answer is 508.
"""

from collections.abc import Collection, Iterator

from originmap.domain.tier.chain import Chain
from originmap.domain.tier.endpoint import Endpoint
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.rings.haproxy import factor, ids
from originmap.domain.tier.topology import HashPart
from originmap.export.node import HOP, HUB, Node, name_of

_HOST = "%[req.hdr(host),host_only,lower]"
_OF_URI = {
    (): "",
    (HashPart.PATH,): "%[path]",
    (HashPart.QUERY,): "%[query]",
    (HashPart.PATH, HashPart.QUERY): "%[pathq]",
}
_ALL_BACKUPS = "    option allbackups\n"
_LOOP = f"    http-request return status 508 if {{ req.hdr({HOP}) -m found }}"
_NOT_HUB = f" !{{ req.hdr({HOP}) -m str {HUB} }}"


def backends(node: Node) -> Iterator[bytes]:
    """Write the backends. Each cache is checked in the first one that has it."""
    checked: dict[tuple[str, Endpoint], str] = {}
    for chain in node.chains:
        yield _backend(node, chain, checked).encode()


def _backend(node: Node, chain: Chain, checked: dict[tuple[str, Endpoint], str]) -> str:
    return (
        f"backend {name_of(chain)}\n"
        f"{_LOOP}{_NOT_HUB * (not node.through_hub(chain))}\n"
        f"    http-request set-header {HOP} {node.mark(chain)}\n"
        f"    http-request set-var-fmt(txn.originmap_hash) {_key(node.hash_key)}\n"
        "    balance hash var(txn.originmap_hash)\n"
        "    hash-type consistent sdbm avalanche\n"
        f"{_ALL_BACKUPS * (len(chain) > 1)}"
        f"{''.join(_servers(node, chain, checked))}\n"
    )


def _servers(node: Node, chain: Chain, checked: dict[tuple[str, Endpoint], str]) -> Iterator[str]:
    numbers: dict[str, int] = {}
    for level, code in enumerate(chain):
        caches = node.servers(code)
        numbers |= ids((cache.name for cache in caches), numbers.values())
        times = factor(caches)
        for cache in caches:
            first = checked.setdefault((cache.name, cache.endpoint), name_of(chain))
            check = "check" if first == name_of(chain) else f"track {first}/{cache.name}"
            yield (
                f"    server {cache.name} {cache.endpoint.text} id {numbers[cache.name]}"
                f" weight {cache.weight * times} {check}{' backup' * (level > 0)}\n"
            )


def _key(parts: Collection[HashPart]) -> str:
    return _HOST * (HashPart.HOST in parts) + _OF_URI[uri_parts(parts)]
