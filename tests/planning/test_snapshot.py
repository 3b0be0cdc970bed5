"""The zones of an export."""

from typing import Any

from originmap.client.connection import APIConnection, Credentials
from originmap.client.mappings import RemoteMappings
from originmap.planning.snapshot import zones_asked_for
from tests.client.fake_api import FakeAPI

FIRST, SECOND, THIRD = ("1" * 32, "2" * 32, "3" * 32)


def test_zones_with_the_same_name_are_called_by_their_ids() -> None:
    """A token for two accounts can have two zones of one name."""
    named = {SECOND: "example.com", THIRD: "example.org", FIRST: "example.com"}
    zones = [{"id": id_, "name": name} for id_, name in named.items()]

    def answer(path: str, query: dict[str, str]) -> dict[str, Any]:
        return {"success": True, "errors": [], "result": zones if query["page"] == "1" else []}

    with FakeAPI(answer) as api, APIConnection(api.api, Credentials("token")) as connection:
        found = zones_asked_for(RemoteMappings(connection), [])
    assert [(zone.id, zone.name) for zone in found] == [
        (FIRST, FIRST),
        (SECOND, SECOND),
        (THIRD, "example.org"),
    ]
