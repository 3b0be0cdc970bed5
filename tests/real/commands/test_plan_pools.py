"""Pools in a mappings file: plan, apply and drift against a real server, and other APIs."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from originmap.client.connection import APIConnection
from originmap.client.errors import NoPools
from originmap.client.mappings import RemoteMappings
from originmap.settings import CLOUDFLARE_API
from tests.process import BEARER, ZONE, Server
from tests.real.commands.planner import Planner

FILE = """\
zones:
  example.com:
    mappings:
      192.0.2.1: aws/us-east-1
    groups:
      - {name: west, vendor: aws, region: us-west-2, origins: [192.0.2.2, 192.0.2.3]}
    pools:
      - {name: web, members: [192.0.2.9, 192.0.2.1]}
      - {name: api, group: west}
"""


def _url(server: Server) -> str:
    return f"{server.url}/originmap/v1/zones/{ZONE}/pools"


def _live(server: Server) -> dict[str, list[str]]:
    pools = httpx.get(_url(server), headers=BEARER).json()["result"]["pools"]
    return {pool["name"]: pool["members"] for pool in pools}


def test_pools_are_planned_and_applied_like_mappings(dev: Server, tmp_path: Path) -> None:
    user = Planner(tmp_path, f"{dev.url}/client/v4")
    file = user.file(FILE)
    saved = user.folder / "plan.json"
    planned = user.run("plan", file, "--out", saved)
    assert planned.status == 2
    assert "  + pool api  192.0.2.2 192.0.2.3\n  + pool web  192.0.2.1 192.0.2.9\n" in planned.out
    assert (
        "3 to create, 0 to change, 0 to delete; 0 stay (2 writes); 2 pools to write" in planned.out
    )
    # The member without a mapping moves with its pool.
    assert "upper tiers move for 4 origins" in planned.out
    done = user.run("apply", saved, "--yes")
    assert (done.status, done.last) == (0, "done: 5 changes, read back and as planned")
    assert _live(dev) == {"api": ["192.0.2.2", "192.0.2.3"], "web": ["192.0.2.1", "192.0.2.9"]}
    assert user.run("apply", file, "--yes").out.startswith("nothing to do")
    assert user.run("drift", file).status == 0
    for form in ("yaml", "json"):
        dumped = user.folder / f"dumped.{form}"
        assert user.run("dump", "--format", form, "--out", dumped).status == 0
        assert user.run("apply", dumped, "--yes").out.startswith("nothing to do")
        assert "pools" in dumped.read_text()

    other = {"pools": [{"name": "web", "members": ["192.0.2.1"]}]}
    httpx.put(_url(dev), json=other, headers=BEARER).raise_for_status()
    drift = user.run("drift", file)
    assert drift.status == 2
    assert "  ~ pool web  192.0.2.1 -> 192.0.2.1 192.0.2.9\n" in drift.out
    outdated = user.run("apply", saved, "--yes")
    assert outdated.status == 1
    assert "outdated" in outdated.err

    without = user.file(FILE.partition("    pools:")[0], "without.yaml")
    assert user.run("drift", without).status == 0
    none = user.file(FILE.partition("    pools:")[0] + "    pools: []\n", "none.yaml")
    assert user.run("apply", none, "--yes").status == 0
    assert _live(dev) == {}


def test_wrong_pools_are_refused_with_their_lines(dev: Server, tmp_path: Path) -> None:
    user = Planner(tmp_path, f"{dev.url}/client/v4")
    file = user.file(FILE + "      - {name: B, members: [192.0.2.1]}\n")
    refused = user.run("plan", file)
    assert refused.status == 1
    assert "mappings.yaml:10:9: pool 'B': a name is" in refused.err
    assert "mappings.yaml:10:9: 192.0.2.1 is in the pools web and B" in refused.err
    unknown = user.run("plan", user.file(FILE.replace("group: west", "group: east")))
    assert "mappings.yaml:9:9: pool api: there is no group named east" in unknown.err


def test_an_api_without_pools_is_named() -> None:
    connection = cast(APIConnection, SimpleNamespace(base_url=CLOUDFLARE_API))
    with pytest.raises(NoPools, match="they need an Originmap server"):
        RemoteMappings(connection).pools(ZONE)
