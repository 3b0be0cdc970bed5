"""Caches as Prometheus targets, and the round trip through every format that is written."""

import json
from pathlib import Path

import pytest

from originmap.cachefile import csv_table, file_sd
from originmap.cachefile.reader import read_caches
from originmap.domain.tier.cache import Cache, CacheState
from originmap.domain.tier.topology import Colo
from tests.cachefile.files import ENCODINGS, caches, read, refusal

COLOS = [
    Colo(
        "IAD",
        "Ashburn",
        "US",
        39.0,
        -77.5,
        caches=(
            Cache("iad-1", "192.0.2.10", 80, 2, CacheState.DRAINING, ("nvme", "rack=3")),
            Cache("iad-2", "2001:db8::1", 8080),
        ),
    ),
    Colo("GRU", "São Paulo", "BR", -23.4, -46.5, region="latam", caches=(Cache("gru-1", "gru"),)),
]
CACHES = {cache.name: (colo.code, cache) for colo in COLOS for cache in colo.caches}


def test_each_cache_is_a_group_with_the_labels_of_monitoring() -> None:
    first, second, third = json.loads(file_sd.write(COLOS))
    assert first == {
        "targets": ["192.0.2.10:80"],
        "labels": {
            "colo": "IAD", "city": "Ashburn", "country": "US", "region": "north-america",
            "name": "iad-1", "state": "draining", "weight": "2", "tags": "nvme,rack=3",
        },
    }  # fmt: skip
    assert second["targets"] == ["[2001:db8::1]:8080"]
    assert (third["labels"]["city"], third["labels"]["region"]) == ("São Paulo", "latam")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_written_is_read_again(tmp_path: Path, encoding: str) -> None:
    for name, text in (("c.json", file_sd.write(COLOS)), ("c.csv", csv_table.write(COLOS))):
        (tmp_path / name).write_bytes(ENCODINGS[encoding] + text.encode(encoding))
        assert caches(read_caches(tmp_path / name)) == CACHES


def test_targets_without_a_name_are_named_after_their_host(tmp_path: Path) -> None:
    text = """
- targets: ["192.0.2.1:80", "b.example.net:9100"]
  labels: {pop: iad, job: cache}
- targets: ["192.0.2.9:80"]
"""
    draft = read(tmp_path, "targets.yml", text, colo="pop")
    assert caches(draft) == {
        "192-0-2-1": ("IAD", Cache("192-0-2-1", "192.0.2.1")),
        "b-example-net": ("IAD", Cache("b-example-net", "b.example.net", 9100)),
    }
    assert draft.skipped == ["192.0.2.9:80"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"targets": "a"}]', "t.json:1:2: group 0 needs a list targets, and labels a mapping"),
        ("[]", "t.json: no caches in this file"),
        ("[1", "t.json:1:3: not JSON: missing a comma or ]"),
        ("[]\n[]", "t.json:2:1: not JSON: expected the end of the file, not '['"),
        (
            '[{"targets": ["A_b:80"],\n "labels": {"colo": "IAD", "name": "a"}}]',
            "t.json:1:15: cache a: address 'a_b:80' is neither",
        ),
    ],
)
def test_a_wrong_file_of_targets_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert refusal(tmp_path, "t.json", text)[0].startswith(problem)


def test_a_second_document_of_targets_is_refused(tmp_path: Path) -> None:
    group = '- {targets: ["192.0.2.%d:80"], labels: {colo: IAD}}\n'
    assert refusal(tmp_path, "t.yml", f"---\n{group % 1}---\n{group % 2}") == [
        "t.yml:3:1: a second document starts here: write all of it as one document"
    ]


@pytest.mark.parametrize("text", ["what is this", "\0\1"])
def test_an_unknown_format_is_refused(tmp_path: Path, text: str) -> None:
    assert "unknown format" in refusal(tmp_path, "caches.txt", text)[0]
