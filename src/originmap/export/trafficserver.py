"""Apache Traffic Server 9: parent.config by the origin's address, and strategies.yaml with a
strategy for each mapping.

parent.config has no zones: if zones map one address to different regions, the latest change counts.
A rule of remap.config names its origin's strategy, @strategy=example.com/192.0.2.1, and does not
change if the origin moves.

`trafficserver_caches` writes the parents if URLs are assigned to caches by consistent hashing.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.tier.chain import Chain
from originmap.export.by_address import ByAddress
from originmap.export.format import AddressWriter, Chunk, Writer
from originmap.export.node import Node, Row, ZonePart
from originmap.export.shared import trafficserver_caches
from originmap.export.sorted_lines import SortedLines


class ParentConfig(AddressWriter):
    """Writes parent.config. Traffic Server uses the first line that matches a request."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._by_address: ByAddress[Chain] = ByAddress()
        self._lines = SortedLines()
        self._domains: dict[str, str] = {}
        self._actions: dict[Chain, str] = {}

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        self._by_address.add((row.address, row.mapping.revision, row.chain) for row in part.rows)
        self.note(part)
        yield b""

    def end(self) -> Iterator[bytes]:
        chains = self._by_address.values
        entries = self._by_address.entries()
        self._by_address = ByAddress()
        yield from self._lines.written(
            (address, self._line(Address(address), chains[number])) for address, number in entries
        )
        yield self._end()

    def note(self, part: ZonePart) -> None:
        self.gone(part.id)
        if part.default:
            line = f"dest_domain={part.name} {self._parents(part.default)}\n"
            self._domains[part.id] = line

    def gone(self, zone_id: str) -> None:
        self._domains.pop(zone_id, None)

    def update(self, rows: Mapping[Address, Row | None], last: BinaryIO) -> Iterator[Chunk]:
        lines = {address: row and self._line(address, row.chain) for address, row in rows.items()}
        yield from self._lines.updated(lines, last)
        yield self._end()

    def _line(self, address: Address, chain: Chain) -> bytes:
        action = self._actions.get(chain)
        if action is None:
            action = self._actions[chain] = self._parents(chain)
        return f"dest_ip={addresses.text(address)} {action}\n".encode()

    def _end(self) -> bytes:
        return "".join(self._domains[zone_id] for zone_id in sorted(self._domains)).encode()

    def _parents(self, chain: Chain) -> str:
        """The parents, which Traffic Server tries in order, then the origin."""
        if self._node.hashed:
            return trafficserver_caches.parents(self._node, chain)
        if not chain:
            return "go_direct=true"
        parents = ";".join(self._node.endpoint(code).text for code in chain)
        return f'parent="{parents}" round_robin=false go_direct=true'


class Strategies(Writer):
    """Writes strategies.yaml."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self) -> Iterator[bytes]:
        colos = self._node.colos()
        if not self._node.members():
            yield b"strategies:\n"
            return
        if self._node.hashed:
            yield from trafficserver_caches.groups(self._node)
            yield b"strategies:\n"
            return
        hosts, groups = [], []
        for colo in colos:
            code, endpoint = colo.code.lower(), self._node.endpoint(colo.code)
            hosts.append(f"  - &originmap_h_{code}\n{_host(endpoint.host, endpoint.port)}")
            groups.append(f"  - &originmap_g_{code}\n    - <<: *originmap_h_{code}\n")
            groups.append("      weight: 1.0\n")
        yield f"hosts:\n{''.join(hosts)}groups:\n{''.join(groups)}".encode()
        yield b"strategies:\n"

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        bodies = {chain: self._body(chain) for chain in {row.chain for row in part.rows}}
        lines = []
        for row in part.rows:
            text = addresses.text(row.address)
            body = bodies[row.chain] if row.chain else _direct(text)
            lines.append(f"  - strategy: '{part.name}/{text}'\n{body}")
        yield "".join(lines).encode()

    def _body(self, chain: Chain) -> str:
        """The lines of a strategy after its name."""
        if self._node.hashed and chain:
            return trafficserver_caches.strategy(self._node, chain)
        groups = "".join(f"      - *originmap_g_{code.lower()}\n" for code in chain)
        return f"    policy: first_live\n    go_direct: true\n    groups:\n{groups}"


def _host(host: str, port: int) -> str:
    return f"    host: '{host}'\n    protocol:\n      - port: {port}\n"


def _direct(text: str) -> str:
    """The origin as the parent, because Traffic Server 9.2 exits at a strategy without one."""
    return (
        "    policy: first_live\n    parent_is_proxy: false\n    groups:\n"
        f"      - - host: '{text}'\n          protocol:\n            - port: 80\n"
        "          weight: 1.0\n"
    )
