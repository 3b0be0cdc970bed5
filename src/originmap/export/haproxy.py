"""HAProxy: a map file from zone and origin to a backend, and the backends.

A zone alone is a key too, for its origins without a mapping. The operator defines the backend
originmap-origin, which connects to the origin itself.
"""

from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import Chain
from originmap.export.format import Writer
from originmap.export.node import Node, ZonePart, name_of
from originmap.export.shared import haproxy_caches


class MapFile(Writer):
    """Writes the map file."""

    def __init__(self, node: Node) -> None:
        pass

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        names = {chain: name_of(chain) for chain in {row.chain for row in part.rows}}
        text = addresses.text
        lines = [
            f"{part.name}/{text(row.address)} {names[row.chain]}\n"
            for row in part.rows
            if row.chain != part.default
        ]
        yield f"{part.name} {name_of(part.default)}\n{''.join(lines)}".encode()


class Backends(Writer):
    """Writes the backends."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self) -> Iterator[bytes]:
        if self._node.hashed:
            yield from haproxy_caches.backends(self._node)
            return
        for chain in self._node.chains:
            yield self._backend(chain).encode()

    def _backend(self, chain: Chain) -> str:
        """A backend with a server for each colo. Of several backup servers HAProxy uses the first
        that is up. Of a host name it uses one address only, so a colo with several addresses has a
        server for each: iad, iad-2 and so on."""
        lines = [f"backend {name_of(chain)}"]
        for index, code in enumerate(chain):
            for number, endpoint in enumerate(self._node.endpoints(code), 1):
                name = code.lower() + f"-{number}" * (number > 1)
                server = f"    server {name} {endpoint.text} check"
                lines.append(server + " backup" * (index > 0))
        return "\n".join(lines) + "\n\n"
