"""The zones of an export."""

from typing import Any

from originmap.client.connection import APIConnection, Credentials
from originmap.client.mappings import RemoteMappings
from originmap.planning.snapshot import zones_asked_for
from tests.client.fake_api import FakeAPI

FIRST, SECOND, THIRD = ("1" * 32, "2" * 32, "3" * 32)


def asked_for(named: dict[str, str], *keys: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The IDs and names of the zones in a dump, and the names that several of them have; the server
    has zones with these names."""
    zones = [{"id": id_, "name": name} for id_, name in named.items()]

    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        id_ = path.rpartition("/")[2]
        if id_ in named:
            return {"success": True, "errors": [], "result": {"id": id_, "name": named[id_]}}
        return {"success": True, "errors": [], "result": zones if query["page"] == "1" else []}

    same: list[str] = []
    with FakeAPI(answer) as api, APIConnection(api.api, Credentials("token")) as connection:
        found = zones_asked_for(RemoteMappings(connection), keys, same.append)
    return [(zone.id, zone.name) for zone in found], same


def test_zones_with_the_same_name_are_called_by_their_ids() -> None:
    """A token for two accounts can have two zones of one name."""
    named = {SECOND: "example.com", THIRD: "example.org", FIRST: "example.com"}
    found, same = asked_for(named)
    assert found == [(FIRST, FIRST), (SECOND, SECOND), (THIRD, "example.org")]
    assert same == ["example.com"]


def test_two_forms_of_a_name_are_the_same_name() -> None:
    named = {FIRST: "bücher.example", SECOND: "xn--bcher-kva.example"}
    found, same = asked_for(named)
    assert sorted(found) == [(FIRST, FIRST), (SECOND, SECOND)]
    assert same == ["xn--bcher-kva.example"]


def test_a_zone_that_is_named_twice_is_one_zone() -> None:
    found, same = asked_for({FIRST: "bücher.example"}, FIRST, "xn--bcher-kva.example")
    assert (len(found), same) == (1, [])
