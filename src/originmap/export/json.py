"""JSON lines: an object for each mapping, by zone and address."""

import json
from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.export.node import NO_PLACE, Node, Row, ZonePart


class JSONLines:
    """Writes the objects. Without a primary the node fills from the origin itself."""

    def __init__(self, node: Node) -> None:
        pass

    def start(self) -> Iterator[bytes]:
        yield b""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        # Few places, many addresses: the rest of the line is encoded once for each place and chain.
        kinds = {(row.place, row.chain): row for row in part.rows}
        rest = {kind: _rest(row) for kind, row in kinds.items()}
        text = addresses.text
        head = f'{{"zone":{json.dumps(part.name)},"origin_ip":"'
        yield "".join(
            f'{head}{text(row.address)}",{rest[row.place, row.chain]}\n' for row in part.rows
        ).encode()

    def end(self) -> Iterator[bytes]:
        yield b""


def _rest(row: Row) -> str:
    vendor, region = (None, None) if row.place is NO_PLACE else row.place
    members = {
        "vendor": vendor,
        "region": region,
        "mode": row.mode.value,
        "primary": row.chain[0] if row.chain else None,
        "fallbacks": row.chain[1:],
    }
    return json.dumps(members, separators=(",", ":"))[1:]
