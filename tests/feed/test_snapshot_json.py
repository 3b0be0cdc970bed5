"""A snapshot as lines: read again it is the same; cut, changed or mixed up it is refused."""

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


async def test_written_changes_are_readable() -> None:
    assert await _read(await _lines()) == PARTS


async def test_a_snapshot_that_ends_early_is_refused_wherever_it_ends() -> None:
    lines = await _lines()
    for kept in range(len(lines)):
        with pytest.raises(BrokenFeed, match="cut short"):
            await _read(lines[:kept])


async def test_a_missing_repeated_or_moved_line_is_refused() -> None:
    lines = await _lines()
    for broken in (
        [lines[0], *lines[2:]],
        [*lines[:3], *lines[2:]],
        [*lines[:3], lines[4], lines[3], lines[5]],
        [*lines, lines[1]],
    ):
        with pytest.raises(BrokenFeed):
            await _read(broken)


async def test_any_changed_byte_is_found() -> None:
    whole = b"".join(await _lines())
    chance = random.Random(7)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        with pytest.raises(BrokenFeed):
            await _read(bytes(changed).splitlines(keepends=True))


async def test_a_snapshot_of_another_format_is_refused_by_its_number() -> None:
    first, *rest = await _lines()
    later = first.replace(b'"originmap_snapshot":1', b'"originmap_snapshot":2')
    with pytest.raises(BrokenFeed, match="format 2"):
        await _read([later, *rest])


def _change(revision: int) -> Change:
    what = MappingChange(ip("192.0.2.1"), None, US_EAST)
    return Change(revision, revision, Cause("t", "", "r"), ZONE_ID, what)


START, ZONE, TOKEN, V4, V6 = PARTS
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
        [START, Record(Key(Kind.ZONE, "f" * 32), zone())],
        [],
    ],
)
async def test_a_snapshot_that_no_primary_sends_is_refused(parts: list[Part]) -> None:
    with pytest.raises(BrokenFeed):
        await _read(await _lines(parts))


async def test_large_changes_are_spread_over_lines() -> None:
    long = "x" * 300_000
    changes = [
        Change(n, n, Cause("t", "", ""), "", RecordChange(Key(Kind.TOKEN, "t"), None, token(long)))
        for n in range(33, 43)
    ]
    lines = await _lines([START, History(changes)])
    assert (len(lines), max(map(len, lines)) < 2 << 20) == (7, True)
