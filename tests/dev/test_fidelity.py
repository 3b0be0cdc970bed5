"""Each response says what it rests on."""

import re

import httpx
import pytest

from originmap.conformance.facts import FACTS
from originmap.dev.basis_table import ERRORS, SUCCESS
from originmap.dev.operations import all_operations
from originmap.testing import Server
from tests.dev.conftest import AWS, Zone, zone_of

OUTSIDE = "8.8.8.8"  # an address of no special range


def basis(answer: httpx.Response) -> tuple[str, str]:
    return answer.headers["x-originmap-basis"], answer.headers["x-originmap-facts"]


def test_published_facts(zone: Zone) -> None:
    assert basis(zone.get(OUTSIDE)) == ("published", "P-GET-2")
    assert basis(zone.put(OUTSIDE)) == ("published", "P-PUT-1")
    assert basis(zone.get(OUTSIDE)) == ("published", "P-GET-1")
    assert basis(zone.delete(OUTSIDE)) == ("published", "P-DEL-1")
    assert basis(zone.http.get(zone.path)) == ("published", "P-LIST-1, P-LIST-2, P-LIST-3")
    mismatch = zone.http.put(f"{zone.path}/{OUTSIDE}", json={"origin_ip": "8.8.4.4", **AWS})
    assert basis(mismatch) == ("published", "P-PUT-3")


def test_observed_facts(zone: Zone) -> None:
    assert basis(zone.put("192.0.2.1")) == ("observed", "P-PUT-1, P-GEN-10")
    nobody = httpx.get(str(zone.http.base_url).rstrip("/") + zone.path)
    assert basis(nobody) == ("observed", "P-AUTH-1")
    stranger = zone.http.get("/zones", headers={"Authorization": f"Bearer {'x' * 40}"})
    assert basis(stranger) == ("observed", "P-AUTH-7")


def test_decisions(zone: Zone) -> None:
    wrong = zone.http.post(f"{zone.path}/{OUTSIDE}")
    assert basis(wrong) == ("decided", "P-ROUTE-2, D-26")
    zone.put(OUTSIDE)
    past_the_end = zone.http.get(f"{zone.path}?page=9")
    assert basis(past_the_end) == ("decided", "P-LIST-1, P-LIST-2, P-LIST-5, D-31")


def test_open_questions(zone: Zone) -> None:
    zone.put(OUTSIDE)
    assert basis(zone.put(OUTSIDE)) == ("unknown", "P-PUT-1, P-PUT-2, D-9, U-9")
    assert basis(zone.put("::ffff:8.8.4.4"))[1] == "P-PUT-1, D-12, U-12"
    assert basis(zone.put("10.0.0.1"))[1] == "P-PUT-1, D-14, U-12"
    assert basis(zone.delete("8.8.8.1"))[1] == "P-DEL-2, D-1, U-1"
    assert basis(zone.get("nonsense"))[1] == "D-4, D-13, U-4, U-12"
    assert basis(zone.put_many("8.8.8.8", "8.8.8.8"))[1].endswith("D-6, D-7, U-6, U-7")
    assert basis(zone.http.get(f"{zone.path}?per_page=1"))[1].endswith("D-15, U-13")
    unknown_zone = zone.http.get(f"/zones/{'0' * 32}/origin/cloud_regions")
    assert basis(unknown_zone) == ("unknown", "P-ROUTE-1, D-22, U-20")
    assert basis(zone.http.get(f"{zone.path}/supported_regions"))[0] == "unknown"


def test_what_is_not_served(originmap: Server, zone: Zone) -> None:
    answer = zone.http.get(f"/zones/{originmap.zone_id}/dns_records")
    assert answer.status_code == 400
    assert basis(answer) == ("not-served", "P-ROUTE-1")


def test_our_own_routes_have_no_basis(originmap: Server, zone: Zone) -> None:
    answer = zone.http.get(f"{originmap.url}/originmap/v1/topology")
    assert "x-originmap-basis" not in answer.headers


def test_a_server_without_fidelity_has_no_such_header() -> None:
    with Server(fidelity=False) as server, zone_of(server) as zone:
        assert not any(name.startswith("x-originmap") for name in zone.get(OUTSIDE).headers)
        assert server.requests[0].basis is None


def test_a_response_that_a_test_asked_for_does_not_count(originmap: Server, zone: Zone) -> None:
    originmap.fail("put_mapping", status=503)
    originmap.fail("put_mapping", status=502)
    originmap.partial("put_mappings", [0])
    originmap.cut("get_mapping", "before")
    for answer in (zone.put(OUTSIDE), zone.put(OUTSIDE), zone.put_many(OUTSIDE, "8.8.4.4")):
        assert "x-originmap-basis" not in answer.headers
    with pytest.raises(httpx.TransportError):
        zone.get(OUTSIDE)
    originmap.control.ask("PUT", "/strict", {"on": True})
    assert "x-originmap-basis" not in zone.http.get(f"{zone.path}?cursor=x").headers
    assert [r.basis for r in originmap.requests] == [None] * 5
    originmap.fidelity().require("published")


def test_a_late_or_lost_response_counts(originmap: Server, zone: Zone) -> None:
    originmap.delay("put_mapping", 0.01)
    assert basis(zone.put(OUTSIDE)) == ("published", "P-PUT-1")
    originmap.cut("get_mapping", "during")
    with pytest.raises(httpx.TransportError):
        zone.get(OUTSIDE)
    assert originmap.requests[-1].basis == "published"


def test_a_suite_can_require_facts(originmap: Server, zone: Zone) -> None:
    zone.put(OUTSIDE)
    originmap.fidelity().require("published")
    zone.put("192.0.2.1")
    originmap.fidelity().require("observed")
    zone.delete("8.8.4.4")
    fidelity = originmap.fidelity()
    assert (fidelity.published, fidelity.observed, fidelity.unknown) == (1, 1, 1)
    assert fidelity.facts["U-1"] == 1
    fidelity.require("unknown")
    with pytest.raises(AssertionError, match=r"less than decided facts: 1 unknown \(D-1, U-1\)"):
        fidelity.require("decided")
    with pytest.raises(ValueError, match="'proved' is not one of published, observed"):
        fidelity.require("proved")


def test_every_fact_of_the_table_exists_and_every_operation_is_there() -> None:
    ids = {row.id for rows in FACTS for row in rows}
    named = {id_ for row in (*SUCCESS.values(), *ERRORS.values()) for id_ in row}
    assert named <= ids
    operations = all_operations().of_cloudflare()
    assert {o.name for o in operations} - {"create_account"} == SUCCESS.keys()
    errors = {e.name for o in operations for e in o.errors} | {"no_such_zone_here"}
    assert {re.sub(".*:", "", name) for name in ERRORS} <= errors
