"""nginx: a map from zone and origin to an upstream, and the upstreams.

The site's configuration sets $originmap_zone, $originmap_ip and $originmap_origin (the address of
the origin itself), and passes requests to $originmap_fill. Keys cannot be mistaken for the special
words of a map, because a zone's name has a dot and does not start with "~" or a backslash.
"""

from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import Chain
from originmap.export.format import Writer
from originmap.export.node import Node, ZonePart, name_of
from originmap.export.shared import nginx_caches


class Nginx(Writer):
    """Writes the maps and upstreams."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._defaults: dict[str, str] = {}

    def start(self) -> Iterator[bytes]:
        if self._node.hashed:
            yield from nginx_caches.upstreams(self._node)
        else:
            yield from (self._upstream(chain).encode() for chain in self._node.chains)
        yield b'map "$originmap_zone/$originmap_ip" $originmap_upstream {\n'
        yield b"    default $originmap_default;\n"

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        if part.default:
            self._defaults[part.id] = f"    {part.name} {name_of(part.default)};\n"
        else:
            self.gone(part.id)
        # An origin with the zone's default chain needs no row.
        values = {chain: _value(chain) for chain in {row.chain for row in part.rows}}
        text = addresses.text
        for rows in part.pieces():
            yield "".join(
                f'    "{part.name}/{text(row.address)}" {values[row.chain]};\n'
                for row in rows
                if row.chain != part.default
            ).encode()

    def gone(self, zone_id: str) -> None:
        self._defaults.pop(zone_id, None)

    def end(self) -> Iterator[bytes]:
        yield b'}\nmap $originmap_zone $originmap_default {\n    default "";\n'
        yield "".join(self._defaults[zone_id] for zone_id in sorted(self._defaults)).encode()
        yield b"}\n"
        if self._node.hashed:
            yield from nginx_caches.fills(self._node)
            return
        yield b"map $originmap_upstream $originmap_fill {\n"
        yield b'    default $originmap_upstream;\n    "" $originmap_origin;\n}\n'

    def _upstream(self, chain: Chain) -> str:
        servers = [f"    server {self._node.endpoint(code).text}" for code in chain]
        lines = [f"{servers[0]};", *(f"{server} backup;" for server in servers[1:])]
        return f"upstream {name_of(chain)} {{\n" + "\n".join(lines) + "\n}\n"


def _value(chain: Chain) -> str:
    return name_of(chain) if chain else '""'
