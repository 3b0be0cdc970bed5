"""A zone as tests prepare it, by the API."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any, NamedTuple

import httpx

BATCH = 100


class Zone(NamedTuple):
    """A zone by its ID, with the client that reaches it."""

    api: httpx.Client
    id: str
    name: str

    @classmethod
    def create(cls, api: httpx.Client, name: str) -> "Zone":
        """A new zone in the first account."""
        made = api.post("/client/v4/zones", json={"name": name, "account": {"id": account(api)}})
        assert made.status_code == 200, made.text
        return cls(api, made.json()["result"]["id"], name)

    @classmethod
    def create_unique(cls, api: httpx.Client) -> "Zone":
        """A new zone with a name of its own."""
        return cls.create(api, f"{token_hex(4)}.example.com")

    @property
    def mappings(self) -> str:
        """The path of its mappings."""
        return f"/client/v4/zones/{self.id}/origin/cloud_regions"

    def put(self, regions: Mapping[str, str], vendor: str = "aws") -> None:
        """Set mappings: regions by address."""
        items = [
            {"origin_ip": ip, "vendor": vendor, "region": region} for ip, region in regions.items()
        ]
        for at in range(0, len(items), BATCH):
            put = self.api.put(f"{self.mappings}/batch", json=items[at : at + BATCH])
            assert put.status_code == 200, put.text

    def delete(self) -> None:
        """Remove the zone with its mappings."""
        self.api.delete(f"/client/v4/zones/{self.id}").raise_for_status()

    def read(self) -> dict[str, str]:
        """The region of each mapping by address."""
        found: list[dict[str, Any]] = []
        number = 1
        while page := self._page(number):
            found += page
            number += 1
        return {entry["origin_ip"]: entry["region"] for entry in found}

    def _page(self, number: int) -> list[dict[str, Any]]:
        got = self.api.get(self.mappings, params={"page": number, "per_page": BATCH})
        result: list[dict[str, Any]] = got.json()["result"]
        return result


def account(api: httpx.Client) -> str:
    """The ID of the first account."""
    found: str = api.get("/client/v4/accounts").json()["result"][0]["id"]
    return found
