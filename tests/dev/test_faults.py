"""Faults reach clients as the real API's errors would."""

import http.client
import json

import cloudflare
import httpx
import pytest

from originmap.dev.faults import GATEWAY_STATUSES
from originmap.dev.operations import all_operations
from originmap.testing import ControlError, Server
from tests.dev.conftest import AWS, Zone


def put(client: cloudflare.Cloudflare, server: Server, ip: str = "192.0.2.1") -> object:
    path = f"/zones/{server.zone_id}/origin/cloud_regions/{ip}"
    return client.put(path, cast_to=object, body={"origin_ip": ip, **AWS})


def test_the_official_client_repeats_a_failed_request(
    originmap: Server, client: cloudflare.Cloudflare
) -> None:
    originmap.fail("put_mapping", status=503, times=2, retry_after=0)
    put(client, originmap)
    assert [r.status for r in originmap.requests] == [503, 503, 200]
    assert originmap.mappings() == {"192.0.2.1": ("aws", "us-east-1")}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 400}, cloudflare.BadRequestError),
        ({"code": 10000, "status": 401}, cloudflare.AuthenticationError),
        ({"code": 1164}, cloudflare.PermissionDeniedError),
        ({"status": 500, "times": None}, cloudflare.InternalServerError),
        ({"status": 502, "times": None}, cloudflare.InternalServerError),
        ({"code": 971, "times": None, "retry_after": 0}, cloudflare.RateLimitError),
    ],
)
def test_the_official_client_raises_its_typed_error(
    originmap: Server,
    client: cloudflare.Cloudflare,
    fault: dict[str, int],
    error: type[cloudflare.APIStatusError],
) -> None:
    originmap.fail("put_mapping", **fault)  # type: ignore[arg-type]
    with pytest.raises(error) as raised:
        put(client.with_options(max_retries=0), originmap)
    wanted = fault.get("status") or fault.get("code")
    codes = [raised.value.status_code, *(e.code for e in getattr(raised.value, "errors", ()))]
    assert wanted in codes
    assert originmap.mappings() == {}


def test_the_official_client_repeats_a_request_whose_connection_was_reset(
    originmap: Server, client: cloudflare.Cloudflare
) -> None:
    for when in ("before", "during"):
        originmap.cut("put_mapping", when)
        put(client, originmap)
    assert [(r.fault, r.status) for r in originmap.requests] == [
        ("cut", 499),
        (None, 200),
        ("cut", 200),
        (None, 200),
    ]


def test_before_nothing_is_written_and_during_everything(originmap: Server, zone: Zone) -> None:
    originmap.cut("put_mapping", "before")
    with pytest.raises(httpx.TransportError):
        zone.put("192.0.2.1")
    assert originmap.mappings() == {}
    originmap.cut("put_mapping", "during")
    with pytest.raises(httpx.TransportError):
        zone.put("192.0.2.1")
    assert originmap.mappings() == {"192.0.2.1": ("aws", "us-east-1")}


def test_after_the_response_the_connection_is_reset(originmap: Server) -> None:
    originmap.cut("put_mapping", "after")
    connection = http.client.HTTPConnection("127.0.0.1", originmap.access.port)
    path = f"/client/v4/zones/{originmap.zone_id}/origin/cloud_regions/192.0.2.1"
    headers = {"Authorization": f"Bearer {originmap.token}"}
    connection.request("PUT", path, json.dumps({"origin_ip": "192.0.2.1", **AWS}), headers)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["success"]) == (200, True)
    with pytest.raises(ConnectionResetError):
        connection.sock.recv(1)
    connection.close()


def test_an_error_response_can_be_cut_too(originmap: Server, zone: Zone) -> None:
    originmap.cut("get_mapping", "during")
    with pytest.raises(httpx.TransportError):
        zone.get("192.0.2.1")
    assert originmap.requests[0].answer["errors"][0]["code"] == 1142


def test_a_delayed_request_is_answered_later(originmap: Server, zone: Zone) -> None:
    originmap.delay("get_mapping", 30)
    with pytest.raises(httpx.ReadTimeout):
        zone.http.get(f"{zone.path}/192.0.2.1", timeout=0.2)
    originmap.delay("put_mapping", 0.05)
    assert zone.put("192.0.2.1").status_code == 200


def test_a_rate_limited_request_says_when_to_come_back(originmap: Server, zone: Zone) -> None:
    originmap.rate_limit(retry_after=7)
    answer = zone.get("192.0.2.1")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["errors"][0]["code"] == 971
    assert zone.put("192.0.2.1").status_code == 200


@pytest.mark.parametrize("status", GATEWAY_STATUSES)
def test_the_network_in_front_answers_with_text(originmap: Server, zone: Zone, status: int) -> None:
    originmap.fail("put_mapping", status=status)
    answer = zone.put("192.0.2.1")
    assert (answer.status_code, answer.text) == (status, f"error code: {status}")
    assert answer.headers["content-type"].startswith("text/plain")
    assert originmap.mappings() == {}


def test_operations_have_their_published_ids_too(originmap: Server, zone: Zone) -> None:
    originmap.fail("origin-cloud-regions-v2-upsert", status=503)
    originmap.fail("origin-cloud-regions-v2-get", status=503)
    assert [zone.put("192.0.2.1").status_code, zone.get("192.0.2.1").status_code] == [503, 503]
    assert [r.operation for r in originmap.requests] == ["put_mapping", "get_mapping"]


def test_every_operation_is_concerned_and_nothing_of_ours(originmap: Server, zone: Zone) -> None:
    originmap.fail("*", status=503, times=3)
    assert zone.http.get(f"{originmap.url}/originmap/v1/topology").status_code == 200
    assert originmap.mappings() == {}
    found = [zone.http.get("/zones"), zone.put("192.0.2.1"), zone.http.get("/user")]
    assert [answer.status_code for answer in found] == [503, 503, 503]
    assert zone.put("192.0.2.1").status_code == 200


def test_a_credential_is_checked_before_a_fault_is_used(originmap: Server, zone: Zone) -> None:
    originmap.fail("get_mapping", status=503)
    stranger = zone.http.get(
        f"{zone.path}/192.0.2.1", headers={"Authorization": f"Bearer {'x' * 40}"}
    )
    assert stranger.status_code == 401
    assert zone.get("192.0.2.1").status_code == 503


def test_chosen_items_of_a_batch_fail(originmap: Server, zone: Zone) -> None:
    originmap.partial("put_mappings", [0, "2001:db8::2"], code=1157)
    result = zone.put_many("192.0.2.1", "192.0.2.2", "2001:DB8:0::2").json()["result"]
    assert [item["origin_ip"] for item in result["succeeded"]] == ["192.0.2.2"]
    assert [item["origin_ip"] for item in result["failed"]] == ["192.0.2.1", "2001:DB8:0::2"]
    assert "region" in result["failed"][0]["error"]
    assert originmap.mappings() == {"192.0.2.2": ("aws", "us-east-1")}


def test_every_item_of_a_batch_can_fail(originmap: Server, zone: Zone) -> None:
    zone.put_many("192.0.2.1", "192.0.2.2")
    originmap.partial("delete_mappings", ["192.0.2.1", "192.0.2.2"])
    answer = zone.http.request("DELETE", f"{zone.path}/batch", json=["192.0.2.1", "192.0.2.2"])
    assert answer.json()["result"]["succeeded"] == []
    assert len(answer.json()["result"]["failed"]) == 2
    assert len(originmap.mappings()) == 2


def test_a_batch_without_the_chosen_items_is_processed_as_a_whole(
    originmap: Server, zone: Zone
) -> None:
    originmap.partial("put_mappings", ["192.0.2.9"])
    assert zone.put_many("192.0.2.1").json()["result"]["failed"] == []


def test_faults_for_other_operations_wait(originmap: Server, zone: Zone) -> None:
    originmap.fail("delete_mapping", status=500)
    assert zone.put("192.0.2.1").status_code == 200
    assert zone.delete("192.0.2.1").status_code == 500
    assert zone.delete("192.0.2.1").status_code == 200


def test_a_fault_for_every_request_ends_with_a_reset(originmap: Server, zone: Zone) -> None:
    originmap.fail("*", status=500, times=None)
    assert [zone.get("192.0.2.1").status_code for _ in range(5)] == [500] * 5
    originmap.reset()
    assert zone.get("192.0.2.1").status_code == 404


@pytest.mark.parametrize("operation", all_operations().of_cloudflare(), ids=lambda o: o.name)
def test_each_operation_fails_with_each_of_its_errors(originmap: Server, operation: object) -> None:
    name, errors = operation.name, operation.errors  # type: ignore[attr-defined]
    assert errors
    for error in errors:
        originmap.fail(name, error=error.name)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"operation": "put_mapping", "code": 1142}, "put_mapping does not return code 1142; it"),
        ({"operation": "put_mapping", "status": 404}, "does not return status 404"),
        ({"operation": "put_maping", "status": 503}, "did you mean put_mapping"),
        ({"operation": "get_topology", "status": 503}, "unknown operation 'get_topology'"),
        ({"operation": "put_mapping"}, "name a status, a code or an error"),
        ({"operation": "put_mapping", "status": 503, "times": 0}, "times must be"),
        ({"operation": "*", "code": 1164}, "list_accounts does not return code 1164"),
    ],
)
def test_an_impossible_fault_is_refused_with_what_is_possible(
    originmap: Server, fault: dict[str, object], problem: str
) -> None:
    with pytest.raises(ControlError) as raised:
        originmap.fail(**fault)  # type: ignore[arg-type]
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "kind must be one of fail, delay, cut, partial"),
        ({"kind": "fail", "status": 503}, "operation is missing"),
        ({"operation": "put_mapping", "kind": "cut", "when": "later"}, "when must be one of"),
        ({"operation": "put_mapping", "kind": "cut", "status": 500}, "has no status"),
        ({"operation": "put_mapping", "kind": "delay", "seconds": 1e9}, "seconds must be"),
        ({"operation": "put_mapping", "kind": "delay", "seconds": 0}, "seconds must be"),
        ({"operation": "put_mapping", "kind": "partial", "items": [1]}, "can fail in part"),
        ({"operation": "put_mappings", "kind": "partial", "items": []}, "items must name"),
        ({"operation": "put_mappings", "kind": "partial", "items": [1.5]}, "items must be"),
        ({"operation": 5, "kind": "cut", "when": "before"}, "operation must be a string"),
        ({"operation": "*", "kind": "fail", "status": 99}, "status must be"),
        ({"operation": "*", "kind": "fail", "stauts": 500}, "unknown member stauts"),
        ([], "the body must be a JSON object"),
    ],
)
def test_a_wrong_fault_is_explained(originmap: Server, body: object, problem: str) -> None:
    with pytest.raises(ControlError) as raised:
        originmap.control.ask("POST", "/faults", body)
    assert problem in str(raised.value)


def test_waiting_faults_are_listed_and_removed(originmap: Server, zone: Zone) -> None:
    originmap.cut("*", "during", times=None)
    originmap.partial("put_mappings", [3])
    first, second = originmap.control.ask("GET", "/faults")
    assert (first["operation"], first["when"], first["times"]) == ("*", "during", None)
    assert (second["kind"], second["items"], second["times"]) == ("partial", [3], 1)
    originmap.control.ask("DELETE", "/faults")
    assert zone.get("192.0.2.1").status_code == 404
