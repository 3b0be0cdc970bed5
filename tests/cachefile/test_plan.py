"""What a file of caches changes."""

from pathlib import Path

import pytest

from originmap.cachefile.plan import CachePlan, plan_caches
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.cache_changes import CacheChange
from originmap.domain.tier.topology import Colo, Topology
from originmap.mapfile.errors import WrongSource
from tests.cachefile.files import read

ONE = Cache("iad-1", "192.0.2.1", state=CacheState.DRAINING)
TWO = Cache("iad-2", "192.0.2.2")
TOPOLOGY = Topology(
    (Colo("IAD", "Ashburn", "US", 39, -77, caches=(ONE, TWO)), Colo("EWR", "Newark", "US", 40, -74))
)


def plan(folder: Path, rows: str, *, replace: bool = False) -> CachePlan:
    """The plan for CSV rows."""
    draft = read(folder, "c.csv", f"colo,name,address,weight\n{rows}")
    return plan_caches(TOPOLOGY, draft, replace=replace)


def test_a_plan_lists_every_difference(tmp_path: Path) -> None:
    rows = "IAD,iad-1,192.0.2.9,2\nEWR,ewr-1,192.0.2.8,\n"
    found = plan(tmp_path, rows, replace=True)
    assert list(found.lines()) == [
        "+ EWR ewr-1  192.0.2.8:80",
        "~ IAD iad-1  address 192.0.2.1 -> 192.0.2.9, weight 1 -> 2",
        "- IAD iad-2  192.0.2.2:80",
        "1 to add, 1 to change, 1 to remove; 0 unchanged",
    ]
    assert found.changes == {
        "ewr-1": CacheChange("EWR", "192.0.2.8"),
        "iad-1": CacheChange("IAD", "192.0.2.9", weight=2),
        "iad-2": None,
    }


def test_other_caches_and_states_stay(tmp_path: Path) -> None:
    found = plan(tmp_path, "IAD,iad-1,192.0.2.1,1\n")
    assert list(found.lines()) == ["nothing to do: 2 unchanged"]
    assert found.changes == {}
    moved = plan(tmp_path, "EWR,iad-1,192.0.2.1,1\n")
    assert next(moved.lines()) == "~ EWR iad-1  colo IAD -> EWR"


def test_an_unknown_colo_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(WrongSource, match=r"c\.csv:3:1: there is no colo XYZ"):
        plan(tmp_path, "IAD,iad-1,192.0.2.1,1\nXYZ,x,192.0.2.3,\n")
