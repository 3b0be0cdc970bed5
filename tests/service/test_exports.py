"""Exports are of one revision, and equal for equal databases."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from originmap import bootstrap
from originmap.domain.access.permissions import Grants
from originmap.domain.errors import InvalidExport, StoreBusy
from originmap.domain.mapping import mapping
from originmap.domain.mapping.mapping import Decision, MappingChange, ZoneView
from originmap.service import initial_data
from originmap.service.export.exports import ExportRequest
from originmap.service.feed.snapshots import MOST_OF_ONE
from originmap.service.feed.view import View
from tests.builders import CAUSE, US_EAST, ip, ips, new_zone
from tests.postgres import Cluster

CSV = ExportRequest("csv")
MAPPINGS = 2500  # mappings of a zone, more than one part of a snapshot has


@pytest.fixture(params=["sqlite", "memory", "postgres"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[bootstrap.Opened]:
    """A database with three zones, the second without mappings."""
    db = str(tmp_path / "x.db") if request.param == "sqlite" else bootstrap.MEMORY
    if request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("cluster")
        db = cluster.new_database()
    async with bootstrap.open_store(db, initial_data.prepare_dev) as opened:
        for letter in "abc":
            await opened.store.write_records(new_zone(letter * 32, f"{letter}.example"), CAUSE)
        for letter in "ac":
            await _fill(opened, letter * 32)
        yield opened


async def _fill(opened: bootstrap.Opened, zone_id: str, start: int = 1) -> None:
    addresses = ips(MAPPINGS, start)

    def decide(view: ZoneView) -> Decision[None]:
        return Decision(tuple(MappingChange(a, None, US_EAST) for a in addresses), None)

    await opened.store.write(zone_id, addresses, decide, CAUSE)


async def _file(opened: bootstrap.Opened, request: ExportRequest = CSV) -> bytes:
    _, chunks = await opened.exports.begin(request, opened.directory.zones)
    return b"".join([chunk async for chunk in chunks])


async def test_every_mapping_is_exported_once_in_order(opened: bootstrap.Opened) -> None:
    lines = (await _file(opened)).decode().splitlines()[1:]
    zones = [line.partition(",")[0] for line in lines]
    assert zones == ["a.example"] * MAPPINGS + ["c.example"] * MAPPINGS
    assert len(set(lines)) == 2 * MAPPINGS


async def test_zones_without_mappings_are_exported_if_the_format_lists_zones(
    opened: bootstrap.Opened,
) -> None:
    request = ExportRequest("haproxy", "originmap.map", "SIN", ["{colo}.example:80"])
    keys = [line.partition(b" ")[0] for line in (await _file(opened, request)).splitlines()]
    assert [key for key in keys if b"/" not in key] == [
        b"example.com", b"a.example", b"b.example", b"c.example",
    ]  # fmt: skip


async def test_concurrent_writes_are_not_in_an_export(opened: bootstrap.Opened) -> None:
    before = await _file(opened)
    export, chunks = await opened.exports.begin(CSV, opened.directory.zones)
    first = await anext(chunks)
    await _fill(opened, "b" * 32)
    assert first + b"".join([chunk async for chunk in chunks]) == before
    assert export.revision == opened.store.revision - MAPPINGS
    assert len(await _file(opened)) > len(before)


@pytest.mark.parametrize("opened", ["sqlite", "memory"], indirect=True)
async def test_an_export_under_load_has_the_state_of_its_revision(
    opened: bootstrap.Opened,
) -> None:
    """Each write adds a mapping, so the number of lines gives the revision."""
    first, written = opened.store.revision, 2 * MAPPINGS
    stopped = False

    async def write(writer: int) -> None:
        for n in range(2000):
            address = ip(f"10.9.{writer}.{n % 250}")
            await opened.store.write("b" * 32, (address,), mapping.put(address, US_EAST), CAUSE)
            if stopped:
                return
            await opened.store.write("b" * 32, (address,), mapping.delete(address), CAUSE)
            await asyncio.sleep(0)

    async def mapped(revision: int) -> int:
        changes = await opened.store.changes(first, revision - first)
        added = sum(change.what.after is not None for change in changes[: revision - first])
        return written + 2 * added - min(len(changes), revision - first)

    writing = [asyncio.create_task(write(n)) for n in range(5)]
    for _ in range(10):
        export, chunks = await opened.exports.begin(CSV, opened.directory.zones)
        lines = b"".join([chunk async for chunk in chunks]).count(b"\n") - 1
        assert lines == await mapped(export.revision)
    stopped = True
    await asyncio.gather(*writing)


async def test_a_copy_of_the_database_exports_the_same_file(
    opened: bootstrap.Opened, tmp_path: Path
) -> None:
    async with bootstrap.open_store(str(tmp_path / "copy.db")) as copy:
        await copy.store.load(opened.store.snapshot())
        assert await _file(copy) == await _file(opened)


async def test_an_invalid_export_is_rejected_before_the_first_byte(
    opened: bootstrap.Opened,
) -> None:
    with pytest.raises(InvalidExport):
        await opened.exports.begin(ExportRequest("nginx"), opened.directory.zones)


async def test_concurrent_exports_are_limited(opened: bootstrap.Opened) -> None:
    begun = [
        (await opened.exports.begin(CSV, opened.directory.zones))[1] for _ in range(MOST_OF_ONE)
    ]
    await anext(begun[0])
    with pytest.raises(StoreBusy):
        await opened.exports.begin(CSV, opened.directory.zones)
    # Files without mappings do not need the database.
    assert await _file(
        opened, ExportRequest("haproxy", "originmap.cfg", None, ["{colo}.example:80"])
    )
    for chunks in begun:  # one was started, the others not
        await chunks.aclose()
    for _ in range(MOST_OF_ONE + 1):
        assert await _file(opened)


async def test_operators_have_reserved_snapshots(opened: bootstrap.Opened) -> None:
    begun = [
        (await opened.exports.begin(CSV, opened.directory.zones))[1] for _ in range(MOST_OF_ONE)
    ]
    async with contextlib.aclosing(
        opened.feed.snapshot(View("root", Grants([]), whole=True))
    ) as parts:
        assert await anext(parts)
    for chunks in begun:
        await chunks.aclose()


def test_a_server_loads_formats_and_readers_of_ranges_on_use() -> None:
    names = {"originmap.export.formats", "originmap.export.envoy", "originmap.detect.files"}
    program = f"import sys, originmap.bootstrap_server; print({names!r} & sys.modules.keys())"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "set()\n"
