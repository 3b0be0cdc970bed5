"""nginx, if URLs are assigned to caches by consistent hashing: an upstream for each colo.

nginx refuses `backup` servers in an upstream with `hash`, so the colos of a chain are upstreams of
their own. $originmap_fill names the first, and $originmap_fill_2, $originmap_fill_3 and so on the
next ones, which named locations use with `error_page 502 504`. A POST that may have arrived is not
sent again. $originmap_colo is the value of the header X-Originmap-Colo for $originmap_fill.

For a request that has the header already, $originmap_fill is the origin, except on a regional hub.
Others are passed to sibling caches only if the site sets $originmap_siblings to "on", because a
site that does not send the header would send them in circles.
"""

from collections.abc import Collection, Iterable, Iterator

from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.rings.nginx import weights
from originmap.domain.tier.topology import HashPart
from originmap.export.node import HUB, Node, name_of

_FEWEST_LEVELS = 2

_NONE = "originmap-none"
_HEAD = f"""\
upstream {_NONE} {{
    server 127.0.0.1:9 down;
}}
"""
_KEYS = {
    (HashPart.PATH,): "$originmap_path",
    (HashPart.QUERY,): "$args",
    (HashPart.PATH, HashPart.QUERY): "$request_uri",
}
_PATH = r"""map $request_uri $originmap_path {
    "~^(?<originmap_before_query>[^?]*)" $originmap_before_query;
}
"""
_SENT = """\
map "$request_method $upstream_connect_time" $originmap_sent {
    default "";
    "~^(POST|PATCH|LOCK) .*[0-9]" yes;
}
"""


def upstreams(node: Node) -> Iterator[bytes]:
    """Write the key and the upstreams."""
    yield _HEAD.encode()
    yield _key(node.hash_key).encode()
    for code in node.members():
        yield _upstream(node, code).encode()


def fills(node: Node) -> Iterator[bytes]:
    """Write the maps from a chain to its upstreams."""
    yield _chain(node).encode()
    yield _siblings(node).encode()
    yield _SENT.encode()
    levels = max(_FEWEST_LEVELS, *(len(chain) for chain in node.chains), 0)
    for level in range(1, levels + 1):
        yield _fill(node, level).encode()
        yield _colo(node, level).encode()


def _key(parts: Collection[HashPart]) -> str:
    of_uri = uri_parts(parts)
    key = "$host" * (HashPart.HOST in parts) + _KEYS.get(of_uri, "")
    path = _PATH * (of_uri == (HashPart.PATH,))
    return f'{path}map "" $originmap_key {{\n    default "{key}";\n}}\n'


def _upstream(node: Node, code: str) -> str:
    caches = node.caches(code)
    servers = "".join(
        f"    server {cache.endpoint.text} weight={weight};\n"
        for cache, weight in zip(caches, weights(caches), strict=True)
    )
    return f"upstream {_name(code)} {{\n    hash $originmap_key consistent;\n{servers}}}\n"


def _chain(node: Node) -> str:
    """The map to the chain of a request, which is empty for a request that must not go on."""
    through_hub = (name_of(chain) for chain in node.chains if node.through_hub(chain))
    return (
        'map "$http_x_originmap_colo/$originmap_upstream" $originmap_chain {\n'
        f'    default "";\n    "~^(?:{HUB})?/[^/]*$" $originmap_upstream;\n'
        + "".join(f'    "{HUB}/{name}" "";\n' for name in through_hub)
        + "}\n"
    )


def _siblings(node: Node) -> str:
    """The maps to the upstreams of sibling caches."""
    return "".join(
        f"map $originmap_siblings {_target(node, code)} {{\n"
        f"    default $originmap_origin;\n    on {_name(code)};\n}}\n"
        for code in _inside(node)
    )


def _fill(node: Node, level: int) -> str:
    """The map to the upstream of one level. A node of the upper tier whose sibling fails fills from
    the origin; after the last colo of another chain there is nothing left."""
    lines = []
    for chain in node.chains:
        if level <= len(chain):
            lines.append(f"    {name_of(chain)} {_target(node, chain[level - 1])};\n")
        elif chain == (node.own,) and level == len(chain) + 1:
            lines.append(f"    {name_of(chain)} $originmap_origin;\n")
    if level == 1:
        return (
            "map $originmap_chain $originmap_fill {\n"
            f'    default $originmap_chain;\n    "" $originmap_origin;\n{"".join(lines)}}}\n'
        )
    return (
        f"map $originmap_chain $originmap_next_{level} {{\n"
        f"    default {_NONE};\n{''.join(lines)}}}\n"
        f"map $originmap_sent $originmap_fill_{level} {{\n"
        f"    default $originmap_next_{level};\n    yes {_NONE};\n}}\n"
    )


def _inside(node: Node) -> list[str]:
    return [code for code in node.members() if node.leads_inside((code,))]


def _target(node: Node, code: str) -> str:
    if not node.leads_inside((code,)):
        return _name(code)
    return "$originmap_generic" if code == GENERIC else "$originmap_own"


def _colo(node: Node, level: int) -> str:
    """The map to the value of the header, and for the first level to whether the answer comes from
    a sibling, which stores it."""
    suffix = f"_{level}" * (level > 1)
    codes = [(_name(code), code) for code in node.members()]
    if level > 1:
        return _map(f"$originmap_fill{suffix}", f"$originmap_colo{suffix}", codes)
    hubs = [(name_of(chain), HUB) for chain in node.chains if node.through_hub(chain)]
    relays = [(_name(code), "1") for code in _inside(node)]
    return (
        _map("$originmap_fill", "$originmap_fill_colo", codes)
        + _map("$originmap_chain", "$originmap_colo", hubs, "$originmap_fill_colo")
        + _map("$originmap_fill", "$originmap_relay", relays)
    )


def _map(source: str, variable: str, values: Iterable[tuple[str, str]], other: str = '""') -> str:
    lines = "".join(f"    {key} {value};\n" for key, value in values)
    return f"map {source} {variable} {{\n    default {other};\n{lines}}}\n"


def _name(code: str) -> str:
    chain: Chain = (code,)
    return name_of(chain)
