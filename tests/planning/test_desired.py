"""Resolving a document: zones, hostnames, regions; any problem is an error."""

import socket
from pathlib import Path

import pytest

from originmap import data
from originmap.domain.detection.detection import Detection, Evidence, Verdict
from originmap.domain.errors import OriginmapError
from originmap.domain.mapping import address
from originmap.mapfile import reader
from originmap.mapfile.errors import WrongFile
from originmap.planning.desired import Desired, Lookup
from originmap.planning.planner import make_plan
from tests.builders import CENTRAL, US_EAST, ip
from tests.planning.states import MemoryAPI

ID = "0" * 32
HOSTS = {"one.example": ["192.0.2.1"], "two.example": ["192.0.2.1", "2001:db8::1", "fe80::1%lo"]}


def resolve(name: str) -> list[str]:
    if name not in HOSTS:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return HOSTS[name]


def nobody() -> None:
    raise AssertionError("this test must not read ranges")


class Refused(OriginmapError):
    """The detector of a user without range files."""


def detector():
    """192.0.2.1 is in aws us-east-1; every other address is unknown."""

    def detect(asked):
        if asked != ip("192.0.2.1"):
            return Detection(asked, None, Verdict.UNLISTED, None, False)
        found = Evidence("192.0.2.0/24", *US_EAST, (), None, None, True)
        return Detection(asked, None, Verdict.CONFIRMED, found, True)

    return detect


def wanted(folder: Path, text: str, detect=nobody) -> Desired:
    file = folder / "m.yaml"
    file.write_text(text)
    api = MemoryAPI({}, {"example.com": ID, "example.org": "1" * 32})
    return Lookup(api, resolve, detect).desired(reader.read(file, data.catalogue()))


def zone(*lines: str) -> str:
    return "zones:\n  example.com:\n    mappings:\n" + "".join(f"      {x}\n" for x in lines)


def refusals(folder: Path, text: str, detect=nobody) -> list[str]:
    with pytest.raises(WrongFile) as caught:
        wanted(folder, text, detect)
    return [f"{p.where.line}:{p.where.column}: {p.text}" for p in caught.value.problems]


def found(desired: Desired) -> dict[str, str]:
    (only,) = desired.zones
    return {address.text(a): f"{p.vendor}/{p.region}" for a, p in only.mappings.items()}


def test_zones_are_resolved_to_their_ids(tmp_path: Path) -> None:
    desired = wanted(tmp_path, f"zones: {{example.com: , {'1' * 32}: }}")
    assert [(z.id, z.name) for z in desired.zones] == [(ID, "example.com"), ("1" * 32, "1" * 32)]


def test_a_zone_by_id_and_by_name_is_a_problem(tmp_path: Path) -> None:
    (problem,) = refusals(tmp_path, f"zones: {{example.com: , {ID}: }}")
    assert problem.startswith(f"1:24: {ID} is the same zone as the one at ")


def test_a_hostname_is_resolved_to_its_addresses_and_pinned(tmp_path: Path) -> None:
    desired = wanted(tmp_path, zone("two.example: gcp/us-central1"))
    assert found(desired) == {"192.0.2.1": "gcp/us-central1", "2001:db8::1": "gcp/us-central1"}
    assert desired.pins == {"two.example": (ip("192.0.2.1"), ip("2001:db8::1"))}


def test_two_hostnames_can_share_an_address_only_in_one_region(tmp_path: Path) -> None:
    same = wanted(tmp_path, zone("one.example: aws/us-east-1", "two.example: aws/us-east-1"))
    assert len(found(same)) == 2
    for first in ("one.example", "192.0.2.1"):
        text = zone(f"{first}: aws/us-east-1", "two.example: gcp/us-central1")
        assert refusals(tmp_path, text) == [
            "5:7: two.example has the address 192.0.2.1, which another line maps to aws/us-east-1"
        ]


def test_a_hostname_that_does_not_resolve_is_a_problem(tmp_path: Path) -> None:
    HOSTS["empty.example"] = ["fe80::1%lo"]
    text = zone("gone.example: aws/us-east-1", "empty.example: aws/us-east-1")
    assert refusals(tmp_path, text) == [
        "4:7: cannot resolve gone.example: Name or service not known",
        "5:7: empty.example has no address that an origin can have",
    ]


def test_auto_is_the_region_that_the_ranges_prove(tmp_path: Path) -> None:
    for line in ("192.0.2.1: auto", "one.example: auto", "192.0.2.1: {vendor: aws, region: auto}"):
        assert found(wanted(tmp_path, zone(line), detector)) == {"192.0.2.1": "aws/us-east-1"}


def test_auto_without_a_proved_region_is_a_problem(tmp_path: Path) -> None:
    text = zone("192.0.2.1: {vendor: gcp, region: auto}", "192.0.2.2: auto")
    assert refusals(tmp_path, text, detector) == [
        "4:7: auto finds no region for 192.0.2.1: published ranges say aws/us-east-1; "
        "write its region",
        "5:7: auto finds no region for 192.0.2.2: it is in no published range; write its region",
    ]


def test_ignore_rules_apply_to_detected_regions_too(tmp_path: Path) -> None:
    text = zone("192.0.2.1: auto") + "    ignore: [aws/*]\n"
    assert refusals(tmp_path, text, detector) == [
        "4:7: 192.0.2.1 is in the file, but an ignore rule matches it"
    ]


def test_an_ignore_rule_that_matches_a_live_mapping_is_a_problem(tmp_path: Path) -> None:
    desired = wanted(tmp_path, zone("192.0.2.1: aws/us-east-1") + "    ignore: [gcp/*]\n")
    api = MemoryAPI({ID: {ip("192.0.2.1"): CENTRAL}})
    with pytest.raises(WrongFile) as caught:
        make_plan(api, desired, lambda name: None)
    (problem,) = caught.value.problems
    assert problem.where.line == 4
    assert problem.text.endswith("but an ignore rule matches its live region, gcp/us-central1")
