"""Encoding and decoding of snapshots; truncated, changed and reordered snapshots are rejected."""

import random
from collections.abc import AsyncIterator, Iterable

import pytest

from originmap.domain.errors import BrokenFeed
from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.history.snapshot import History, Part, Record, SnapshotStart, ZoneMappings
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place
from originmap.feed.snapshot_json import read_lines, write_lines
from tests.builders import CENTRAL, US_EAST, ZONE_ID, ip, policy, token, zone

PARTS: list[Part] = [
    SnapshotStart("8c0f00112233aabb", 42, 1_772_366_400_000_000),
    Record(Key(Kind.ZONE, ZONE_ID), zone()),
    Record(Key(Kind.TOKEN, "t"), token("t", policy(True, ["zone"], ["group"]))),
    ZoneMappings(ZONE_ID, [Mapping(ip("192.0.2.1"), US_EAST, 5, 41)]),
    ZoneMappings(ZONE_ID, [Mapping(ip("2001:db8::1"), CENTRAL, 6, 42)]),
]


async def _each(items: Iterable[Part]) -> AsyncIterator[Part]:
    for item in items:
        yield item


async def _lines(parts: Iterable[Part] = PARTS) -> list[bytes]:
    return [line async for line in write_lines(_each(parts))]


async def _read(lines: Iterable[bytes]) -> list[Part]:
    async def each() -> AsyncIterator[bytes]:
        for line in lines:
            yield line

    return [part async for part in read_lines(each())]


async def test_decoding_reverses_encoding() -> None:
    assert await _read(await _lines()) == PARTS


async def test_a_truncated_snapshot_is_rejected_at_every_line() -> None:
    lines = await _lines()
    for kept in range(len(lines)):
        with pytest.raises(BrokenFeed, match="cut short"):
            await _read(lines[:kept])


async def test_a_missing_repeated_or_moved_line_is_rejected() -> None:
    lines = await _lines()
    for broken in (
        [lines[0], *lines[2:]],
        [*lines[:3], *lines[2:]],
        [*lines[:3], lines[4], lines[3], lines[5]],
        [*lines, lines[1]],
    ):
        with pytest.raises(BrokenFeed):
            await _read(broken)


async def test_every_changed_byte_is_detected() -> None:
    whole = b"".join(await _lines())
    chance = random.Random(7)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(BrokenFeed):
            await _read(bytes(changed).splitlines(keepends=True))


async def test_a_snapshot_of_another_format_is_rejected_with_its_number() -> None:
    first, *rest = await _lines()
    later = first.replace(b'"originmap_snapshot":1', b'"originmap_snapshot":2')
    with pytest.raises(BrokenFeed, match="format 2"):
        await _read([later, *rest])


def _change(revision: int) -> Change:
    what = MappingChange(ip("192.0.2.1"), None, US_EAST)
    return Change(revision, revision, Cause("t", "", "r"), ZONE_ID, what)


START, ZONE, TOKEN, V4, V6 = PARTS
YEAR_10000 = 253_402_300_800_000_000
HISTORY = History([_change(41), _change(42)])


@pytest.mark.parametrize(
    "parts",
    [
        [START, ZONE, ZONE],
        [START, ZONE, V4, TOKEN],
        [START, V4],
        [START, ZONE, V6, V4],
        [START, ZONE, V4, V4],
        [START, ZONE, HISTORY, V4],
        [START, ZONE, History([_change(41)])],
        [START, ZONE, History([_change(40), _change(42)])],
        [START, ZONE, History([_change(42), _change(43)])],
        [START, ZONE, ZoneMappings(ZONE_ID, [Mapping(ip("::1"), Place("aws", "}s"), 1, 1)])],
        [START, ZONE, ZoneMappings(ZONE_ID, [Mapping(ip("::1"), US_EAST, YEAR_10000, 1)])],
        [START._replace(at=YEAR_10000), ZONE],
        [START, Record(Key(Kind.ZONE, "f" * 32), zone())],
        [],
    ],
)
async def test_a_snapshot_that_breaks_the_rules_is_rejected(parts: list[Part]) -> None:
    with pytest.raises(BrokenFeed):
        await _read(await _lines(parts))


async def test_large_changes_are_split_into_lines() -> None:
    long = "x" * 300_000
    changes = [
        Change(n, n, Cause("t", "", ""), "", RecordChange(Key(Kind.TOKEN, "t"), None, token(long)))
        for n in range(33, 43)
    ]
    lines = await _lines([START, History(changes)])
    assert (len(lines), max(map(len, lines)) < 2 << 20) == (7, True)
