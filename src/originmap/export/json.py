"""JSON lines: an object for each mapping, by zone and address."""

import json
from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import GENERIC
from originmap.export.format import Writer
from originmap.export.node import NO_PLACE, Node, Row, ZonePart


class JSONLines(Writer):
    """Writes the objects. Without a primary the node fills from the origin itself, or, if there is
    a pool, from one of its colos by the hash key."""

    def __init__(self, node: Node) -> None:
        self._pool = node.pool

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        # Few places, many addresses: the rest of the line is encoded once for each kind.
        kinds = {_kind(row): row for row in part.rows}
        rest = {kind: self._rest(row) for kind, row in kinds.items()}
        text = addresses.text
        head = f'{{"zone":{json.dumps(part.name)},"origin_ip":"'
        yield "".join(
            f'{head}{text(row.address)}",{rest[_kind(row)]}\n' for row in part.rows
        ).encode()

    def _rest(self, row: Row) -> str:
        vendor, region = (None, None) if row.place is NO_PLACE else row.place
        members: dict[str, object] = {
            "vendor": vendor,
            "region": region,
            "mode": row.mode.value,
            "primary": row.upper_tiers[0] if row.upper_tiers else None,
            "fallbacks": row.upper_tiers[1:],
        }
        if row.hub:
            members["regional_hub"] = row.hub
        if row.chain == (GENERIC,):
            members["pool"] = self._pool
        return json.dumps(members, separators=(",", ":"))[1:]


def _kind(row: Row) -> tuple[object, ...]:
    return row.place, row.chain, row.mode, row.hub
