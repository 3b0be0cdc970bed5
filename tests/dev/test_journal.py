"""The journal says what a client did, without secrets."""

import threading

import pytest

from originmap.testing import ControlError, Server
from tests.dev.conftest import AWS, Zone


def test_requests_are_listed_with_their_answers(originmap: Server, zone: Zone) -> None:
    zone.put("192.0.2.1")
    zone.get("192.0.2.2")
    first, second = originmap.requests
    assert (first.operation, first.method, first.status) == ("put_mapping", "PUT", 200)
    assert first.body == {"origin_ip": "192.0.2.1", **AWS}
    assert first.answer["result"]["origin_ip"] == "192.0.2.1"
    assert (second.operation, second.answer["errors"][0]["code"]) == ("get_mapping", 1142)
    assert originmap.requests[-1] == second
    assert originmap.requests.of("put_mapping") == [first]
    assert first.headers["host"] == originmap.url.removeprefix("http://")


def test_ignored_arguments_and_fields_are_listed(originmap: Server, zone: Zone) -> None:
    zone.http.put(
        f"{zone.path}/192.0.2.1?colo=1&page=2",
        json={"origin_ip": "192.0.2.1", **AWS, "comment": "x", "ttl": 1},
    )
    zone.http.put(f"{zone.path}/batch", json=[{"origin_ip": "192.0.2.1", **AWS, "note": ""}, 5])
    zone.http.get(f"{zone.path}?page=1&per_page=5&cursor=x")
    zone.http.put(f"{zone.path}/192.0.2.1", content=b"{")
    assert [(r.ignored_arguments, r.ignored_fields) for r in originmap.requests] == [
        (["colo", "page"], ["comment", "ttl"]),
        ([], ["note"]),
        (["cursor"], []),
        ([], []),
    ]


def test_secrets_are_redacted(originmap: Server, zone: Zone) -> None:
    groups = zone.http.get("/user/tokens/permission_groups").json()["result"]
    policy = {
        "effect": "allow",
        "resources": {f"com.cloudflare.api.account.zone.{originmap.zone_id}": "*"},
        "permission_groups": [{"id": groups[0]["id"]}],
    }
    token = {"name": "t", "policies": [policy]}
    made = zone.http.post("/user/tokens", json=token).json()["result"]
    rolled = zone.http.put(f"/user/tokens/{made['id']}/value", json={}).json()["result"]
    zone.http.get(zone.path, headers={"X-Auth-Key": "k" * 30, "Cookie": "session=s3cret"})
    text = repr([*originmap.requests])
    for secret in (originmap.token, made["value"], rolled, "k" * 30, "s3cret"):
        assert secret not in text
    assert "[redacted]" in text


def test_what_is_not_served_is_listed_and_counted(originmap: Server, zone: Zone) -> None:
    for _ in range(2):
        zone.http.get(f"/zones/{originmap.zone_id}/dns_records")
    zone.http.post(zone.path)
    assert [r.operation for r in originmap.requests] == [None, None, None]
    assert [r.basis for r in originmap.requests] == ["not-served", "not-served", "decided"]
    path = f"/client/v4/zones/{originmap.zone_id}/dns_records"
    assert originmap.fidelity().not_served == {f"GET {path}": 2}


def test_the_control_itself_is_not_listed(originmap: Server, zone: Zone) -> None:
    zone.http.get(f"{originmap.url}/healthz")
    originmap.save()
    assert len(originmap.requests) == 0
    zone.http.get(f"{originmap.url}/originmap/v1/topology")
    assert [r.operation for r in originmap.requests] == ["get_topology"]


def test_a_test_waits_for_requests_of_another_thread(originmap: Server, zone: Zone) -> None:
    timer = threading.Timer(0.2, lambda: (zone.get("192.0.2.1"), zone.put("192.0.2.1")))
    timer.start()
    (found,) = originmap.requests.wait("put_mapping")
    assert found.status == 200
    assert len(originmap.requests.wait(count=2)) == 2
    timer.join()


def test_waiting_ends_with_what_came_instead(originmap: Server, zone: Zone) -> None:
    zone.get("192.0.2.1")
    with pytest.raises(TimeoutError) as raised:
        originmap.requests.wait("put_mapping", count=2, timeout=0.1)
    assert "got 0 of 2 requests for put_mapping in 0.1 s" in str(raised.value)
    assert "get_mapping" in str(raised.value)


def test_the_journal_can_be_cleared(originmap: Server, zone: Zone) -> None:
    zone.get("192.0.2.1")
    originmap.requests.clear()
    assert len(originmap.requests) == 0
    zone.get("192.0.2.1")
    assert [r.number for r in originmap.requests] == [
        originmap.control.ask("GET", "/requests")["last"]
    ]


def test_the_oldest_requests_are_dropped(originmap: Server, zone: Zone) -> None:
    body = b'"%b"' % (b"x" * 1_000_000)
    for _ in range(70):
        zone.http.put(f"{zone.path}/192.0.2.1", content=body)
    assert 60 <= len(originmap.requests) <= 67
    counted = originmap.fidelity()
    assert counted.published + counted.observed + counted.decided + counted.unknown == 70


def test_an_operation_is_chosen_by_its_name_or_its_published_id(
    originmap: Server, zone: Zone
) -> None:
    zone.put("192.0.2.1")
    zone.http.get(f"{originmap.url}/originmap/v1/topology")
    assert len(originmap.requests.of("put_mapping")) == 1
    assert len(originmap.requests.of("origin-cloud-regions-v2-upsert")) == 1
    assert len(originmap.requests.of("get_topology")) == 1
    with pytest.raises(ControlError, match="did you mean put_mapping"):
        originmap.requests.wait("put_maping")


def test_an_unknown_argument_is_refused(originmap: Server) -> None:
    with pytest.raises(ControlError) as raised:
        originmap.control.ask("GET", "/requests", since=1)
    assert "unknown argument since; known are: after, count, operation, wait" in str(raised.value)
    with pytest.raises(ControlError) as raised:
        originmap.control.ask("GET", "/requests", wait=61)
    assert "wait must be a whole number from 0 to 60" in str(raised.value)
