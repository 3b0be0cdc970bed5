"""Lines of a file that are replaced by address, in many blocks."""

import io
import random

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.export.format import Span
from originmap.export.sorted_lines import SortedLines
from tests.builders import ip

CHANCE = random.Random(7)
ALL = [ip(f"10.{n >> 8}.{n & 255}.1") for n in range(1, 6000)] + [
    ip(f"2001:db8::{n:x}") for n in range(1, 1000)
]


def line(address: Address) -> bytes:
    return f"dest_ip={addresses.text(address)} {'x' * CHANCE.randrange(40)}\n".encode()


def complete(lines: dict[Address, bytes]) -> bytes:
    return b"".join(SortedLines().written((each, lines[each]) for each in sorted(lines)))


def updated(to: SortedLines, changes: dict[Address, bytes | None], last: bytes) -> bytes:
    chunks = to.updated(changes, io.BytesIO(last))
    return b"".join(last[c.start : c.end] if isinstance(c, Span) else c for c in chunks)


def test_lines_are_replaced_inserted_and_removed_in_any_block() -> None:
    lines = {each: line(each) for each in CHANCE.sample(ALL, 3000)}
    kept = SortedLines()
    text = b"".join(kept.written((each, lines[each]) for each in sorted(lines)))
    for _ in range(60):
        some = CHANCE.sample(ALL, CHANCE.choice([1, 3, 50, 1500]))
        changes = {each: line(each) if CHANCE.random() < 0.6 else None for each in some}
        text = updated(kept, changes, text)
        lines = {a: t for a, t in {**lines, **changes}.items() if t is not None}
        assert text == complete(lines)


def test_all_lines_can_go_and_come_again() -> None:
    kept, first = SortedLines(), ALL[:1500]
    text = b"".join(kept.written((each, line(each)) for each in first))
    text = updated(kept, dict.fromkeys(first), text)
    assert text == b""
    again = {each: line(each) for each in ALL}
    assert updated(kept, dict(again), text) == complete(again)


def test_an_update_of_one_line_copies_the_rest() -> None:
    kept = SortedLines()
    text = b"".join(kept.written((each, line(each)) for each in ALL))
    chunks = list(kept.updated({ALL[3000]: None}, io.BytesIO(text)))
    assert sum(len(chunk) for chunk in chunks if isinstance(chunk, bytes)) < len(text) / 10
