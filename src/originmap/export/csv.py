"""CSV (RFC 4180): a line for each mapping, by zone and address."""

import csv
import io
from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import GENERIC
from originmap.export.format import Writer
from originmap.export.node import Node, ZonePart

_HEADER = ("zone", "origin_ip", "vendor", "region", "mode", "primary", "fallbacks")
_HUB = "regional_hub"


class CSV(Writer):
    """Writes the table. Fallbacks are separated by blanks; an empty primary means that the node
    fills from the origin itself, or if there are fallbacks, from one of them by the hash key. Only
    a node with a regional hub has a column for it."""

    def __init__(self, node: Node) -> None:
        self._hub = node.has_hub
        self._pool = node.pool

    def start(self) -> Iterator[bytes]:
        header = (*_HEADER, _HUB) if self._hub else _HEADER
        yield (",".join(header) + "\r\n").encode()

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        text = addresses.text
        for rows in part.pieces():
            lines = io.StringIO(newline="")
            csv.writer(lines).writerows(
                (
                    part.name,
                    text(row.address),
                    *row.place,
                    row.mode.value,
                    row.upper_tiers[0] if row.upper_tiers else "",
                    " ".join(self._pool if row.chain == (GENERIC,) else row.upper_tiers[1:]),
                    *((row.hub or "",) if self._hub else ()),
                )
                for row in rows
            )
            yield lines.getvalue().encode()
