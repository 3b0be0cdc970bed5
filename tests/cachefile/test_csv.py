"""Caches in CSV."""

from pathlib import Path

import pytest

from originmap.cachefile.reader import read_caches
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.cache_changes import CacheChange
from tests.cachefile.files import ENCODINGS, caches, read, refusal

FULL = """colo,name,address,port,weight,state,tags
iad,iad-1,192.0.2.10,8080,2,draining,nvme rack=3
IAD,iad-2,[2001:db8::1]:81,,,,
LHR,lhr-1,LHR.example.net,,,,
"""
CACHES = {
    "iad-1": (
        "IAD",
        Cache("iad-1", "192.0.2.10", 8080, 2, CacheState.DRAINING, ("nvme", "rack=3")),
    ),
    "iad-2": ("IAD", Cache("iad-2", "2001:db8::1", 81)),
    "lhr-1": ("LHR", Cache("lhr-1", "lhr.example.net")),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_are_read_in_every_encoding_and_with_every_separator(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    file = tmp_path / "caches.csv"
    text = FULL.replace(",", separator).replace("\n", "\r\n")
    file.write_bytes(ENCODINGS[encoding] + text.encode(encoding))
    assert caches(read_caches(file)) == CACHES


def test_empty_cells_and_missing_columns_are_values_that_do_not_change(tmp_path: Path) -> None:
    draft = read(tmp_path, "caches.csv", "name,address,colo,weight\niad-1,192.0.2.1,IAD,\n")
    assert draft.entries["iad-1"].change == CacheChange("IAD", "192.0.2.1")


def test_a_file_without_a_suffix_is_known_by_its_heading(tmp_path: Path) -> None:
    assert caches(read(tmp_path, "caches", FULL)) == CACHES


def test_every_problem_has_its_line(tmp_path: Path) -> None:
    rows = """colo,name,address,port,weight,state,tags
IAD,IAD_1,192.0.2.300,99999,x,asleep,-
IAD,,192.0.2.1
IAD,iad-1,192.0.2.2:80,81
IAD,iad-2,192.0.2.3
IAD,iad-2,192.0.2.4
IAD,iad-3,192.0.2.3:80
IAD,iad-4,192.0.2.5,,,,,extra
"""
    assert refusal(tmp_path, "c.csv", rows) == [
        "11 errors",
        "c.csv:2:1: cache 'IAD_1': a name must be 1 to 63 lower-case letters, digits and"
        " hyphens, without a hyphen at its ends",
        "c.csv:2:1: cache IAD_1: address '192.0.2.300' is neither an IP address nor a host name in"
        " lower case",
        "c.csv:2:1: cache IAD_1: tag '-' must be 1 to 63 letters, digits and _.:=-",
        "c.csv:2:1: port '99999' is not a whole number from 1 to 65,535",
        "c.csv:2:1: state 'asleep' is not one of active, draining, down",
        "c.csv:2:1: weight 'x' is not a whole number from 1 to 256",
        "c.csv:3:1: a cache needs name",
        "c.csv:4:1: address 192.0.2.2:80 has another port than 81",
        "c.csv:6:1: a second cache with the name iad-2; the first is at c.csv:5:1",
        "c.csv:7:1: a second cache with the address 192.0.2.3:80; the first is at c.csv:5:1",
        "c.csv:8:1: 8 cells in a table of 7 columns",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "c.csv:1:1: missing columns: colo, name, address"),
        ("colo,name,address\n", "c.csv: no caches in this file"),
        ("colo,name,address,ip\n", "c.csv:1:1: unknown columns: 'ip'; known are colo, name,"),
        ("colo,name,address,name\n", "c.csv:1:1: a column occurs twice"),
        ('colo,name,address\nIAD,"a', "c.csv:2:1: not CSV: unexpected end of data"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert refusal(tmp_path, "c.csv", text)[0].startswith(problem)
