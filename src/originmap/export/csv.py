"""CSV (RFC 4180): a line for each mapping, by zone and address."""

import csv
import io
from collections.abc import Iterator

from originmap.domain.mapping import address as addresses
from originmap.export.node import Node, ZonePart

_HEADER = ("zone", "origin_ip", "vendor", "region", "mode", "primary", "fallbacks")


class CSV:
    """Writes the table. Fallbacks are separated by blanks; an empty primary means that the node
    fills from the origin itself."""

    def __init__(self, node: Node) -> None:
        pass

    def start(self) -> Iterator[bytes]:
        yield (",".join(_HEADER) + "\r\n").encode()

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
                    row.chain[0] if row.chain else "",
                    " ".join(row.chain[1:]),
                )
                for row in rows
            )
            yield lines.getvalue().encode()

    def end(self) -> Iterator[bytes]:
        yield b""
