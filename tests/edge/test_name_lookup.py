"""Resolution of the hostnames of upper tiers."""

import logging
from collections.abc import Collection

import pytest

from originmap.edge.name_lookup import NameLookup, look_up
from originmap.export.endpoint import Addresses


def test_a_name_without_addresses_is_left_out() -> None:
    found = look_up(["localhost", "no..name"])
    assert "127.0.0.1" in found["localhost"]
    assert list(found) == ["localhost"]
    assert look_up([]) == {}


class Server:
    """A fake name server."""

    def __init__(self, **addresses: tuple[str, ...]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, names: Collection[str]) -> Addresses:
        self.asked += names
        return {name: self.addresses[name] for name in names if name in self.addresses}


async def test_names_are_resolved_once_and_again_at_each_refresh() -> None:
    server, changes = Server(iad=("192.0.2.1", "192.0.2.2"), fra=("192.0.2.9",)), list[str]()
    names = NameLookup(server, lambda: changes.append("changed"))
    assert await names.addresses(["fra", "iad"]) == server.addresses
    assert await names.addresses(["iad"]) == {"iad": ("192.0.2.1", "192.0.2.2")}
    assert server.asked == ["fra", "iad"]
    await names.refresh()
    assert changes == []
    server.addresses["iad"] = ("192.0.2.1", "192.0.2.3")
    await names.refresh()
    assert changes == ["changed"]
    assert (await names.addresses(["iad"]))["iad"] == ("192.0.2.1", "192.0.2.3")


async def test_the_last_addresses_are_kept_while_a_name_does_not_resolve(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, changes = Server(iad=("192.0.2.1",)), list[str]()
    names = NameLookup(server, lambda: changes.append("changed"))
    before = await names.addresses(["iad", "fra"])
    assert before == {"iad": ("192.0.2.1",)}
    server.addresses.clear()
    caplog.clear()  # the previous addresses of fra
    with caplog.at_level(logging.WARNING):
        await names.refresh()
        await names.refresh()
    assert len(caplog.records) == 1
    assert await names.addresses(["iad", "fra"]) == before
    assert changes == []
