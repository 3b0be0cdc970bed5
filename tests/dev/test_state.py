"""States are saved and loaded exactly, and a wrong state changes nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from originmap.testing import ControlError, Server
from tests.dev.conftest import Zone, zone_of

ADDRESSES = st.ip_addresses(network="192.0.2.0/24") | st.ip_addresses(network="2001:db8::/32")
REGIONS = st.sampled_from([("aws", "us-east-1"), ("gcp", "us-central1"), ("oci", "ap-tokyo-1")])
ZONES = st.from_regex(r"[a-z]{3,10}\.example", fullmatch=True)
SETTINGS = ["argo/tiered_caching", "cache/regional_tiered_cache"]


def test_a_new_server_has_one_empty_zone(originmap: Server) -> None:
    state = json.loads(originmap.save())
    assert [zone["name"] for zone in state["zones"]] == ["example.com"]
    assert state["mappings"] == {}


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    mappings=st.dictionaries(ADDRESSES, REGIONS, max_size=20),
    zones=st.sets(ZONES, max_size=3),
    off=st.sets(st.sampled_from(SETTINGS)),
    drained=st.booleans(),
)
def test_a_loaded_state_is_the_saved_one(
    originmap: Server,
    zone: Zone,
    mappings: dict[object, tuple[str, str]],
    zones: set[str],
    off: set[str],
    drained: bool,
) -> None:
    originmap.reset()
    for ip, (vendor, region) in mappings.items():
        assert zone.put(str(ip), vendor=vendor, region=region).status_code == 200
    for name in zones:
        body = {"name": name, "account": {"id": originmap.account_id}}
        assert zone.http.post("/zones", json=body).status_code == 200
    for setting in off:
        zone.http.patch(f"/zones/{originmap.zone_id}/{setting}", json={"value": "off"})
    if drained:
        url = f"{originmap.url}/originmap/v1/topology"
        cache = {"colo": "IAD", "address": "192.0.2.10", "weight": 2, "tags": ["nvme"]}
        change = {"states": {"IAD": "draining"}, "caches": {"iad-1": cache}}
        assert zone.http.patch(url, json=change).status_code == 200
    saved, answers = originmap.save(), zone.http.get(zone.path).json()
    originmap.reset()
    assert originmap.mappings() == {}
    originmap.load(saved)
    assert originmap.save() == saved
    assert zone.http.get(zone.path).json() == answers
    assert originmap.mappings() == {str(ip): place for ip, place in mappings.items()}


def test_a_reset_returns_to_the_initial_state(originmap: Server, zone: Zone) -> None:
    initial = originmap.save()
    zone.put("192.0.2.1")
    zone.http.delete(f"/zones/{originmap.zone_id}")
    originmap.fail("*", status=500)
    originmap.freeze("2001-01-01T00:00:00Z")
    originmap.reset()
    assert originmap.save() == initial
    assert len(originmap.requests) == 0
    assert zone.get("192.0.2.1").status_code == 404
    assert originmap.control.ask("GET", "/clock")["frozen"] is False


def test_the_server_is_controlled_even_if_no_token_is_left(originmap: Server, zone: Zone) -> None:
    state = json.loads(originmap.save())
    originmap.load(json.dumps({**state, "tokens": [], "users": []}))
    assert zone.get("192.0.2.1").status_code == 401
    originmap.reset()
    assert zone.get("192.0.2.1").status_code == 404


def test_a_server_starts_with_a_state(originmap: Server, zone: Zone, tmp_path: Path) -> None:
    zone.put("192.0.2.1")
    file = tmp_path / "state.json"
    file.write_text(originmap.save())
    with Server(state=file) as server:
        assert server.save() == file.read_text()
        with zone_of(server) as started:
            started.delete("192.0.2.1")
        server.reset()
        assert server.mappings() == {"192.0.2.1": ("aws", "us-east-1")}
        server.load(file)
        assert server.save() == file.read_text()


def test_a_server_does_not_start_with_a_wrong_state(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"originmap_state": 1, "zone": []}')
    with pytest.raises(ControlError) as raised:
        Server(state=file).start()
    assert "state: unknown member zone" in str(raised.value)


def test_mappings_of_an_unknown_zone_are_refused(originmap: Server) -> None:
    with pytest.raises(ControlError, match="no zone " + "0" * 32):
        originmap.mappings("0" * 32)


def test_a_state_can_be_written_by_hand(originmap: Server, zone: Zone) -> None:
    state = json.loads(originmap.save())
    state["mappings"] = {originmap.zone_id: {"2001:DB8::1": ["aws", "us-east-1"]}}
    originmap.load(json.dumps(state))
    assert originmap.mappings() == {"2001:db8::1": ("aws", "us-east-1")}
    assert zone.put("192.0.2.1").status_code == 200


ZONE = "023e105f4ecef8ad9ca31a8372d0c353"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"originmap_state": 2}, '"originmap_state": 1'),
        ({"zones": {}}, "zones is not a list"),
        ({"zones": [{"name": "example.com"}]}, "zones[0] needs an id of its own"),
        ({"zones": [{"id": ZONE, "name": "example"}]}, "zones[0]"),
        ({"users": [{"id": "1", "created_on": "now"}]}, "users[0]: created_on: 'now' is not a"),
        ({"at": 5}, "at: 5 is not a time"),
        ({"revision": -1}, "not a revision: -1"),
        ({"mappings": []}, "mappings is not an object"),
        ({"mappings": {"0" * 32: {}}}, "no such zone in zones"),
        ({"mappings": {ZONE: {"192.0.2.256": ["aws", "us-east-1"]}}}, "192.0.2.256"),
        ({"mappings": {ZONE: {"192.0.2.1": ["aws"]}}}, 'not ["vendor", "region"]'),
        ({"mappings": {ZONE: {"192.0.2.1": ["a b", "c"]}}}, "invalid name of a vendor"),
        (
            {"mappings": {ZONE: {"::1.2.3.4": ["a", "b"], "::102:304": ["a", "b"]}}},
            "an address is there twice",
        ),
        (
            {"mappings": {ZONE: {f"2001:db8::{n:x}": ["a", "b"] for n in range(3501)}}},
            "at most 3500 addresses",
        ),
    ],
)
def test_a_wrong_state_is_explained_and_changes_nothing(
    originmap: Server, zone: Zone, change: dict[str, object], problem: str
) -> None:
    zone.put("192.0.2.1")
    before = originmap.save()
    with pytest.raises(ControlError) as raised:
        originmap.load(json.dumps({**json.loads(before), **change}))
    assert problem in str(raised.value)
    assert originmap.save() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "nonsense", "\xff"])
def test_what_is_no_state_is_explained(originmap: Server, text: str) -> None:
    with pytest.raises(ControlError) as raised:
        originmap.load(text.encode("latin-1"))
    assert "state" in str(raised.value)
