"""Time stands still and moves as a test says; whatever depends on time follows."""

import pytest

from originmap.testing import ControlError, Server
from tests.dev.conftest import Zone, zone_of


def modified_on(zone: Zone, ip: str) -> str:
    text: str = zone.put(ip).json()["result"]["modified_on"]
    return text


def test_frozen_time_is_the_time_of_changes(originmap: Server, zone: Zone) -> None:
    originmap.freeze("2026-03-01T12:00:00Z")
    assert modified_on(zone, "192.0.2.1") == "2026-03-01T12:00:00.000000Z"
    assert modified_on(zone, "192.0.2.2") == "2026-03-01T12:00:00.000001Z"


def test_time_moves_forward(originmap: Server, zone: Zone) -> None:
    originmap.freeze("2026-03-01T12:00:00+01:00")
    originmap.advance(days=1, hours=1, minutes=1, seconds=1.5)
    assert modified_on(zone, "192.0.2.1") == "2026-03-02T12:01:01.500000Z"


def test_time_moves_back_with_data_from_later(originmap: Server, zone: Zone) -> None:
    now = modified_on(zone, "192.0.2.1")
    originmap.freeze("2001-01-01T00:00:00Z")
    assert modified_on(zone, "192.0.2.2") == "2001-01-01T00:00:00.000000Z"
    assert zone.get("192.0.2.1").json()["result"]["modified_on"] == now


def test_an_advanced_clock_goes_on(originmap: Server) -> None:
    before = originmap.control.ask("GET", "/clock")
    originmap.advance(days=365)
    after = originmap.control.ask("GET", "/clock")
    assert (before["frozen"], after["frozen"]) == (False, False)
    assert int(after["now"][:4]) == int(before["now"][:4]) + 1


def test_the_clock_runs_again(originmap: Server) -> None:
    originmap.freeze("2001-01-01T00:00:00Z")
    assert originmap.control.ask("GET", "/clock") == {
        "now": "2001-01-01T00:00:00.000000Z",
        "frozen": True,
    }
    originmap.unfreeze()
    assert originmap.control.ask("GET", "/clock")["frozen"] is False


def test_a_token_expires(originmap: Server, zone: Zone) -> None:
    originmap.freeze("2026-03-01T12:00:00Z")
    groups = zone.http.get("/user/tokens/permission_groups").json()["result"]
    policy = {
        "effect": "allow",
        "resources": {f"com.cloudflare.api.account.zone.{originmap.zone_id}": "*"},
        "permission_groups": [{"id": g["id"]} for g in groups if g["name"] == "Zone Read"],
    }
    token = {"name": "t", "policies": [policy], "expires_on": "2026-03-01T13:00:00Z"}
    secret = zone.http.post("/user/tokens", json=token).json()["result"]["value"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert zone.http.get(zone.path, headers=headers).status_code == 200
    originmap.advance(hours=1)
    assert zone.http.get(zone.path, headers=headers).status_code == 401


def test_the_window_of_a_rate_limit_ends() -> None:
    with Server(rate_limit="2/300") as server, zone_of(server) as limited:
        server.freeze("2026-03-01T12:00:00Z")
        assert [limited.get("192.0.2.1").status_code for _ in range(3)] == [404, 404, 429]
        server.advance(minutes=5)
        assert limited.get("192.0.2.1").status_code == 404
        server.freeze("2001-01-01T00:00:00Z")
        assert [limited.get("192.0.2.1").status_code for _ in range(3)] == [404, 404, 429]
        server.reset()
        assert limited.get("192.0.2.1").status_code == 404


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"freeze": "yesterday"}, "freeze must be a time like 2026-03-01T12:00:00Z"),
        ({"freeze": "2026-03-01T12:00:00"}, "must be a time"),
        ({"advance_seconds": -1}, "advance_seconds must be from 0"),
        ({"advance_seconds": "1"}, "advance_seconds must be a number"),
        ({"run": 1}, "run must be true or false"),
        ({}, "give one of freeze, advance_seconds and run"),
        ({"run": True, "advance_seconds": 1}, "give one of"),
        ({"stop": True}, "unknown member stop"),
    ],
)
def test_a_wrong_time_is_explained(originmap: Server, body: object, problem: str) -> None:
    with pytest.raises(ControlError) as raised:
        originmap.control.ask("PUT", "/clock", body)
    assert problem in str(raised.value)
