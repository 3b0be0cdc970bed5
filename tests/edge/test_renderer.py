"""Files of one revision, rendered from a replica."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from originmap import data
from originmap.domain.errors import InvalidExport, ZoneNotFound
from originmap.domain.mapping.mapping import Place, put
from originmap.domain.mapping.own_region_rules import set_regions
from originmap.domain.mapping.own_regions import OwnRegion
from originmap.domain.tier.cache_changes import CacheChange
from originmap.domain.tier.topology import Topology
from originmap.domain.tier.topology_rules import change_topology, set_topology
from originmap.edge.errors import NothingToServe
from originmap.edge.renderer import Renderer, Standpoint
from originmap.export.endpoint import Endpoints
from originmap.export.formats import format_called
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip, new_zone

OTHER_ID = "f" * 32
JSON = format_called("json").files[0]
NGINX = format_called("nginx").files[0]


@pytest.fixture
async def replica() -> MemoryStore:
    """A replica with two zones, and a mapping in the first."""
    primary, replica = MemoryStore(), MemoryStore()
    await primary.write_records(new_zone(), CAUSE)
    await primary.write_records(new_zone(OTHER_ID, "other.example"), CAUSE)
    address = ip("192.0.2.1")
    await primary.write(ZONE_ID, [address], put(address, US_EAST), CAUSE)
    await replica.load(primary.snapshot())
    return replica


def renderer(store: MemoryStore, *zones: str) -> Renderer:
    standpoint = Standpoint("sin-1", None, zones, Endpoints())
    return Renderer(store, standpoint, data.catalogue(), data.topology(), lambda: 1)


async def test_a_rendered_file_is_complete_and_has_the_right_digest(
    replica: MemoryStore, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "file"
    rendered = await renderer(replica).render(lambda _: {path: JSON})
    assert (rendered.epoch, rendered.revision) == (replica.epoch, replica.revision)
    assert b'"origin_ip":"192.0.2.1"' in path.read_bytes()
    assert rendered.digests == {path: hashlib.sha256(path.read_bytes()).hexdigest()}
    assert path.stat().st_mode & 0o777 == 0o644


async def test_zones_are_selected_by_id_or_name(replica: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    await renderer(replica, "Other.example", OTHER_ID).render(lambda _: {path: JSON})
    assert path.read_bytes() == b""


async def test_a_changed_topology_is_used_at_once(tmp_path: Path) -> None:
    store, replica, path = MemoryStore(), MemoryStore(), tmp_path / "file"
    await store.write_records(new_zone(), CAUSE)
    await store.write(ZONE_ID, [ip("192.0.2.1")], put(ip("192.0.2.1"), US_EAST), CAUSE)
    made = renderer(replica)
    for upper_tier in ("IAD", "SEA", "IAD"):
        overrides = {"aws/us-east-1": (upper_tier,)}
        wanted = Topology(data.topology().colos, overrides)
        await store.write_records(set_topology(wanted), CAUSE)
        await replica.load(store.snapshot())
        await made.render(lambda node: {path: JSON})
        assert f'"primary":"{upper_tier}"' in path.read_text()


async def test_own_regions_are_used_at_once(tmp_path: Path) -> None:
    store, replica, path = MemoryStore(), MemoryStore(), tmp_path / "file"
    await store.write_records(new_zone(), CAUSE)
    address = ip("192.0.2.1")
    await store.write(ZONE_ID, [address], put(address, Place("acme", "a")), CAUSE)
    made = renderer(replica)
    for latitude, longitude, upper_tier in ((50.1, 8.7, "FRA"), (-33.9, 151.2, "SYD")):
        region = OwnRegion("acme", "a", "", "", latitude, longitude)
        await store.write_records(set_regions([region], data.catalogue()), CAUSE)
        await replica.load(store.snapshot())
        await made.render(lambda node: {path: JSON})
        assert f'"primary":"{upper_tier}"' in path.read_text()


async def test_a_symbolic_link_at_the_new_files_path_is_not_followed(
    replica: MemoryStore, tmp_path: Path
) -> None:
    path, victim = tmp_path / "file", tmp_path / "victim"
    victim.write_text("mine")
    path.symlink_to(victim)
    await renderer(replica).render(lambda _: {path: JSON})
    assert victim.read_text() == "mine"


async def test_a_created_folder_is_readable_with_any_umask(
    replica: MemoryStore, tmp_path: Path
) -> None:
    path = tmp_path / "outer" / "inner" / "file"
    before = os.umask(0o077)
    try:
        await renderer(replica).render(lambda _: {path: JSON})
    finally:
        os.umask(before)
    assert [each.stat().st_mode & 0o777 for each in (path.parents[1], path.parent)] == [0o755] * 2


async def test_an_unknown_zone_leaves_no_file(replica: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(ZoneNotFound):
        await renderer(replica, "gone.example").render(lambda _: {tmp_path / "file": JSON})
    assert list(tmp_path.iterdir()) == []


async def test_an_error_in_one_file_removes_all_files(replica: MemoryStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidExport, match="no upstream address"):
        await renderer(replica).render(lambda _: {tmp_path / "one": JSON, tmp_path / "two": NGINX})
    assert list(tmp_path.iterdir()) == []


async def test_the_caches_of_the_topology_need_no_option(tmp_path: Path) -> None:
    """A primary sets them, and a replica renders them."""
    primary, replica = MemoryStore(), MemoryStore()
    address = ip("192.0.2.1")
    await primary.write_records(new_zone(), CAUSE)
    await primary.write(ZONE_ID, [address], put(address, US_EAST), CAUSE)
    caches = {"iad-1": CacheChange("IAD", "192.0.2.10"), "iad-2": CacheChange("IAD", "192.0.2.11")}
    default = replace(data.topology(), cache_template="{colo}.cache.example.net:80")
    await primary.write_records(change_topology({}, caches, default), CAUSE)
    await replica.load(primary.snapshot())
    path = tmp_path / "file"
    await renderer(replica).render(lambda _: {path: NGINX})
    text = path.read_text()
    assert all(server in text for server in ("192.0.2.10:80", "192.0.2.11:80"))
    assert "ewr.cache.example.net:80" in text


async def test_a_missing_address_names_every_way_to_give_it(
    replica: MemoryStore, tmp_path: Path
) -> None:
    with pytest.raises(InvalidExport) as missing:
        await renderer(replica).render(lambda _: {tmp_path / "file": NGINX})
    for way in ("originmap cache add", "cache_template", "--upstream"):
        assert way in missing.value.hint


async def test_before_the_first_snapshot_there_is_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(NothingToServe):
        await renderer(MemoryStore()).render(lambda _: {tmp_path / "file": JSON})
