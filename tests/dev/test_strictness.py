"""Strict checks refuse what the API accepts and what will hurt."""

import subprocess
from pathlib import Path

import httpx
import pytest

from originmap.testing import Server
from tests.detect.samples import AWS as AWS_FILE
from tests.dev.conftest import AWS, Zone, zone_of
from tests.process import COMMAND

MAPPING = {"origin_ip": "192.0.2.1", **AWS}


@pytest.fixture
def strict(originmap: Server, zone: Zone) -> Zone:
    originmap.control.ask("PUT", "/strict", {"on": True})
    return zone


def refusal(answer: httpx.Response) -> str:
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, 10470)
    return str(error["message"])


def test_ordinary_requests_pass(strict: Zone) -> None:
    assert strict.put("192.0.2.1").status_code == 200
    assert strict.http.get(f"{strict.path}?page=1&per_page=5").status_code == 200
    assert strict.put_many("192.0.2.1", "2001:db8::1").status_code == 200
    assert strict.http.get("/zones?name=example.com").status_code == 200


def test_an_unknown_argument_is_refused(strict: Zone) -> None:
    answer = strict.http.get(f"{strict.path}?cursor=x")
    assert refusal(answer) == "strict: query argument cursor is ignored (known: page, per_page)"


def test_an_ignored_field_is_refused(originmap: Server, strict: Zone) -> None:
    answer = strict.put("192.0.2.1", comment="x", ttl=1)
    assert "member comment of the body is ignored (known: origin_ip, region, vendor)" in refusal(
        answer
    )
    assert "member ttl of the body is ignored" in refusal(answer)
    assert originmap.mappings() == {}


def test_a_deprecated_route_is_refused(originmap: Server, strict: Zone) -> None:
    answer = strict.http.get(f"/zones/{originmap.zone_id}/cache/origin_cloud_regions")
    assert "v1_list_mappings is deprecated" in refusal(answer)


@pytest.mark.parametrize("spelling", ["2001:DB8::1", "2001:db8:0::1", "::ffff:192.0.2.1"])
def test_an_address_in_another_spelling_is_refused(strict: Zone, spelling: str) -> None:
    assert "is not in canonical form: write" in refusal(strict.put(spelling))
    in_body = strict.put_many("192.0.2.1", spelling)
    assert f"address {spelling} is not in canonical form" in refusal(in_body)
    deleted = strict.http.request("DELETE", f"{strict.path}/batch", json=[spelling])
    assert f"address {spelling} is not" in refusal(deleted)


def test_an_invalid_address_is_refused_as_ever(strict: Zone) -> None:
    assert strict.put("192.0.2.256").json()["errors"][0]["code"] == 1146
    malformed = strict.http.put(f"{strict.path}/192.0.2.1", content="{")
    assert malformed.json()["errors"][0]["code"] == 6007


def test_problems_are_counted_and_listed(originmap: Server, strict: Zone) -> None:
    strict.put("2001:DB8::1", comment="x")
    strict.http.get(f"{strict.path}?cursor=x")
    found = originmap.control.ask("GET", "/strict")
    assert found == {"on": True, "problems": {"argument": 1, "field": 1, "spelling": 1}}
    assert len(originmap.requests[0].problems) == 2
    originmap.reset()
    assert originmap.control.ask("GET", "/strict") == {"on": False, "problems": {}}


def test_a_server_can_be_strict_from_the_start() -> None:
    with Server(strict=True) as server, zone_of(server) as zone:
        assert zone.put("2001:DB8::1").status_code == 400
        server.reset()
        assert zone.put("2001:DB8::1").status_code == 400


def test_a_region_that_contradicts_the_published_ranges_is_refused(tmp_path: Path) -> None:
    ranges = str(tmp_path / "ranges")
    subprocess.run([COMMAND, "ranges", "import", "--ranges", ranges, str(AWS_FILE)], check=True)
    with Server(strict=True, ranges=ranges) as server, zone_of(server) as zone:
        answer = zone.put("192.0.2.1")
        assert "published ranges place 192.0.2.1 in aws us-west-2" in refusal(answer)
        assert server.mappings() == {}
