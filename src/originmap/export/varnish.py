"""Varnish: VCL with a backend for each colo, a fallback director for each chain, and
originmap_choose, which sets req.backend_hint.

The operator defines the probe originmap_probe and a backend for the origin, sets
req.http.X-Originmap-Zone and X-Originmap-IP, and calls it; where the origin itself is to be asked,
the hint is left alone. Addresses are in ACLs kept as tables (Varnish 7.0), which compile fast.
"""

from collections.abc import Iterator

from originmap.domain import address as addresses
from originmap.export.node import Chain, Node, ZonePart

_ADDRESS = 'std.ip(req.http.X-Originmap-IP, "0.0.0.0")'


class Varnish:
    """As `format.Writer`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._calls: list[str] = []

    def start(self) -> Iterator[bytes]:
        """As `Writer.start`."""
        yield b"vcl 4.1;\n\nimport directors;\nimport std;\n\n"
        for colo in self._node.colos():
            endpoint = self._node.endpoint(colo.code)
            yield (
                f"backend {_backend(colo.code)} {{\n"
                f'    .host = "{endpoint.host}";\n    .port = "{endpoint.port}";\n'
                "    .probe = originmap_probe;\n}\n"
            ).encode()
        yield b"\nsub vcl_init {\n"
        for chain in self._node.chains:
            adds = "".join(f"    {_director(chain)}.add_backend({_backend(c)});\n" for c in chain)
            yield f"    new {_director(chain)} = directors.fallback();\n{adds}".encode()
        yield b"}\n\n"

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        """As `Writer.zone`."""
        by_chain: dict[Chain, list[str]] = {}
        for row in part.rows:
            if row.chain != part.default:
                by_chain.setdefault(row.chain, []).append(addresses.text(row.address))
        tests = []
        for chain, texts in sorted(by_chain.items()):
            acl = "_".join(["originmap_a", part.id, *(code.lower() for code in chain)])
            hosts = "".join(f'    "{text}";\n' for text in texts)
            yield f"acl {acl} +table {{\n{hosts}}}\n".encode()
            tests.append(f"if ({_ADDRESS} ~ {acl}) {{\n{_hint(chain)}    }} else")
        body = f"    {' '.join([*tests, ''])}{{\n{_hint(part.default)}    }}\n"
        sub = f"originmap_z_{part.id}"
        yield f"sub {sub} {{\n{body}}}\n\n".encode()
        self._calls.append(
            f'    if (req.http.X-Originmap-Zone == "{part.name}") {{\n        call {sub};\n    }}\n'
        )

    def end(self) -> Iterator[bytes]:
        """As `Writer.end`."""
        yield f"sub originmap_choose {{\n{''.join(self._calls)}}}\n".encode()


# What a colo's code can be is at least two characters, so these names are nobody else's.
def _backend(code: str) -> str:
    return f"originmap_b_{code.lower()}"


def _director(chain: Chain) -> str:
    return "_".join(["originmap_d", *(code.lower() for code in chain)])


def _hint(chain: Chain) -> str:
    return f"        set req.backend_hint = {_director(chain)}.backend();\n" if chain else ""
