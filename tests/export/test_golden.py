"""Every file of every format, for several nodes, equals its golden file.

After an intended change, run python -m tests.export.test_golden and review the difference.
"""

from pathlib import Path

import pytest

from originmap.domain.tier.topology import GenericTier
from originmap.export.endpoint import read
from originmap.export.format import File
from originmap.export.formats import FORMATS
from tests.export.samples import REGIONAL, SHARED, export, node

ADDRESSES = read(["{colo}.cache.example.net:8080"])
GOLDEN = Path(__file__).with_name("golden")
NODES = {
    "edge": node("SIN"),
    "upper": node("IAD"),
    "no-colo": node(None),
    "no-zones": node("SIN", zones=()),
    "shared": node("SIN", colos=SHARED, endpoints=ADDRESSES),
    "regional": node("SIN", zones=REGIONAL, hubs={"asia": ("FRA",)}),
    "shared-regional": node(
        "SIN", zones=REGIONAL, colos=SHARED, endpoints=ADDRESSES, hubs={"asia": ("FRA",)}
    ),
    "shared-upper": node("IAD", colos=SHARED, endpoints=ADDRESSES, generic=GenericTier.HASH),
}
SHARED_FORMATS = ("nginx", "haproxy", "varnish", "trafficserver", "envoy")
FILES = [
    (which, known.name, file)
    for which, made_for in NODES.items()
    for known in FORMATS
    if known.name in (*SHARED_FORMATS, "csv", "json", "mmdb") or not which.startswith("shared")
    for file in known.all(made_for)
]


def path_of(format_name: str, file: File, which: str) -> Path:
    return GOLDEN / which / format_name / file.name


@pytest.mark.parametrize(
    ("which", "name", "file"), FILES, ids=lambda value: getattr(value, "name", value)
)
def test_a_file_equals_its_golden_file(which: str, name: str, file: File) -> None:
    assert export(file, NODES[which]) == path_of(name, file, which).read_bytes()


def test_every_golden_file_belongs_to_a_format() -> None:
    wanted = {path_of(name, file, which) for which, name, file in FILES}
    assert {path for path in GOLDEN.rglob("*") if path.is_file()} == wanted


def write() -> None:
    """Write the golden files."""
    for which, name, file in FILES:
        path = path_of(name, file, which)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(export(file, NODES[which]))


if __name__ == "__main__":
    write()
