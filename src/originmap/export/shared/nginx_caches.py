"""nginx, if URLs are assigned to caches by consistent hashing: an upstream for each colo.

nginx refuses `backup` servers in an upstream with `hash`, so the colos of a chain are upstreams of
their own. $originmap_fill names the first, and $originmap_fill_2, $originmap_fill_3 and so on the
next ones, which named locations use with `error_page 502 504`. A POST that may have arrived is not
sent again. $originmap_colo is the value of the header X-Originmap-Colo for $originmap_fill.

A request that has the header already is not passed to sibling caches, and others are only if the
site sets $originmap_siblings to "on", because a site that does not send the header would send them
in circles.
"""

from collections.abc import Collection, Iterator

from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.rings.nginx import weights
from originmap.domain.tier.topology import HashPart
from originmap.export.node import Node, name_of

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


def _siblings(node: Node) -> str:
    """The upstreams that can send a request back to this node."""
    pooled = "on" if node.pooled else '""'
    key = "$originmap_siblings$http_x_originmap_colo" if node.pooled else "$http_x_originmap_colo"
    text = ""
    if node.own in node.members():
        text += (
            'map "$originmap_siblings$http_x_originmap_colo" $originmap_own {\n'
            f"    default $originmap_origin;\n    on {_name(node.own)};\n}}\n"
        )
    if GENERIC in node.members():
        text += (
            f'map "{key}" $originmap_generic {{\n'
            f"    default $originmap_origin;\n    {pooled} {_name(GENERIC)};\n}}\n"
        )
    return text


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
            "map $originmap_upstream $originmap_fill {\n"
            f'    default $originmap_upstream;\n    "" $originmap_origin;\n{"".join(lines)}}}\n'
        )
    return (
        f"map $originmap_upstream $originmap_next_{level} {{\n"
        f"    default {_NONE};\n{''.join(lines)}}}\n"
        f"map $originmap_sent $originmap_fill_{level} {{\n"
        f"    default $originmap_next_{level};\n    yes {_NONE};\n}}\n"
    )


def _target(node: Node, code: str) -> str:
    if code == GENERIC:
        return "$originmap_generic"
    return "$originmap_own" if code == node.own else _name(code)


def _colo(node: Node, level: int) -> str:
    """The map to the value of the header, and for the first level to whether the answer comes from
    a sibling, which stores it."""
    suffix = f"_{level}" * (level > 1)
    lines = [f"    {_name(code)} {code};\n" for code in node.members()]
    text = f'map $originmap_fill{suffix} $originmap_colo{suffix} {{\n    default "";\n'
    text += "".join(lines) + "}\n"
    if level > 1:
        return text
    inside = [code for code in node.members() if node.leads_inside((code,))]
    lines = [f"    {_name(code)} 1;\n" for code in inside]
    return f'{text}map $originmap_fill $originmap_relay {{\n    default "";\n{"".join(lines)}}}\n'


def _name(code: str) -> str:
    chain: Chain = (code,)
    return name_of(chain)
