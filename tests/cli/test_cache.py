"""originmap cache, on a database of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from originmap.cli import main

INVENTORY = """
all:
  children:
    iad:
      vars: {originmap_colo: IAD}
      hosts:
        iad-[1:3]:
    ewr:
      vars: {originmap_colo: EWR}
      hosts:
        ewr-1: {ansible_host: 192.0.2.20, originmap_weight: 2}
"""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A new database."""
    path = tmp_path / "dev.db"
    output("zone", "create", "example.com", "--db", path)
    return path


def output(*args: str | Path) -> str:
    """The output of a successful command."""
    return _run(*args)[0]


def said(*args: str | Path) -> str:
    """What a successful command says on stderr."""
    return _run(*args)[1]


def _run(*args: str | Path) -> tuple[str, str]:
    done = CliRunner().invoke(main.group, [str(arg) for arg in args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def refusal(*args: str | Path, status: int = 1) -> str:
    """The error of a rejected command."""
    done = CliRunner().invoke(main.group, [str(arg) for arg in args])
    assert (done.exit_code, done.stdout) == (status, "")
    return str(done.exception) + done.stderr


def rows(*args: str | Path) -> list[dict[str, Any]]:
    """The JSON that a command prints with --json."""
    found: list[dict[str, Any]] = json.loads(output(*args, "--json"))
    return found


def names(db: Path) -> list[str]:
    """The caches in the topology."""
    return [row["name"] for row in rows("cache", "list", "--db", db)]


def test_caches_are_added_changed_and_removed(db: Path) -> None:
    at = ("--db", db)
    assert "no caches: add them with" in said("cache", "list", *at)
    output("cache", "add", "iad", "iad-1", "192.0.2.10", "--weight", "2", "--tag", "nvme", *at)
    for _ in range(2):  # the second time changes nothing
        output("cache", "add", "IAD", "iad-2", "[2001:db8::1]:8080", *at)
    shown = output("cache", "list", "--colo", "iad", *at).splitlines()
    assert [line.split() for line in shown] == [
        ["colo", "name", "address", "port", "weight", "state", "tags"],
        ["IAD", "iad-1", "192.0.2.10", "80", "2", "active", "nvme"],
        ["IAD", "iad-2", "2001:db8::1", "8080", "1", "active"],
    ]
    output("cache", "set", "iad-1", "--address", "a.example.net:81", "--no-tags", *at)
    output("cache", "set", "iad-2", "--colo", "ewr", "--weight", "3", "--tag", "x", *at)
    found = {row["name"]: row for row in rows("cache", "list", *at)}
    first = {"colo": "IAD", "name": "iad-1", "address": "a.example.net", "port": 81, "weight": 2}
    assert found["iad-1"] == {**first, "state": "active", "tags": []}
    assert (found["iad-2"]["colo"], found["iad-2"]["weight"]) == ("EWR", 3)
    assert "EWR: no caches left; nodes use cache_template" in said("cache", "remove", "iad-2", *at)
    assert names(db) == ["iad-1"]
    assert "IAD " in output("topology", "show", *at)
    assert output("audit", *at).count(" topology ") == 5


def test_draining_says_how_many_caches_serve(db: Path) -> None:
    at = ("--db", db)
    for number in "12":
        output("cache", "add", "IAD", f"iad-{number}", f"192.0.2.{number}", *at)
    for _ in range(2):
        assert said("cache", "drain", "iad-1", *at) == (
            "iad-1: draining\nIAD: serving caches: 1 of 2\n"
        )
    assert "its 2 draining ones serve" in said("cache", "drain", "iad-2", *at)
    down = said("cache", "down", "iad-1", "iad-2", *at)
    assert "IAD: no cache serves; the colo is out of service" in down
    assert "serving caches: 2 of 2" in said("cache", "activate", "iad-1", "iad-2", *at)


def test_wrong_arguments_are_refused_with_the_remedy(db: Path) -> None:
    at = ("--db", db)
    output("cache", "add", "IAD", "iad-1", "192.0.2.10", *at)
    assert "similar names: iad-1" in refusal("cache", "drain", "iad-11", *at)
    assert "originmap cache set" in refusal("cache", "add", "IAD", "iad-1", "192.0.2.11", *at)
    assert "there is no colo XYZ" in refusal("cache", "add", "XYZ", "x", "192.0.2.11", *at)
    assert "there is no colo XYZ" in refusal("cache", "list", "--colo", "XYZ", *at)
    both = refusal("cache", "remove", "iad-1", "a", "b", *at)
    assert "there is no cache a; there is no cache b" in both
    refusal("cache", "add", "IAD", "x", "a_b", *at, status=2)
    refusal("cache", "set", "iad-1", *at, status=2)
    refusal("cache", "set", "iad-1", "--weight", "0", *at, status=2)
    assert names(db) == ["iad-1"]


def test_an_inventory_is_imported_and_exported_for_monitoring(db: Path, tmp_path: Path) -> None:
    at, inventory = ("--db", db), tmp_path / "inventory.yaml"
    inventory.write_text(INVENTORY)
    output("cache", "add", "IAD", "old", "192.0.2.9", *at)
    plan = output("cache", "import", inventory, "--dry-run", *at)
    assert plan.splitlines()[-1] == "4 to add, 0 to change, 0 to remove; 1 unchanged"
    assert names(db) == ["old"]
    assert output("cache", "import", inventory, *at) == plan
    output("cache", "drain", "iad-1", *at)
    replaced = output("cache", "import", inventory, "--replace", *at).splitlines()
    assert replaced[0] == "- IAD old  192.0.2.9:80"
    targets = tmp_path / "caches.json"
    output("cache", "export", "--out", targets, *at)
    states = {
        each["labels"]["name"]: each["labels"]["state"] for each in json.loads(targets.read_text())
    }
    assert states == {"ewr-1": "active", "iad-1": "draining", "iad-2": "active", "iad-3": "active"}
    table = tmp_path / "caches.csv"
    table.write_text(output("cache", "export", "--format", "csv", *at))
    for file in (targets, table, inventory):
        assert output("cache", "import", file, "--replace", *at) == "nothing to do: 4 unchanged\n"


def test_a_wrong_file_changes_nothing(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "caches.csv"
    file.write_text("colo,name,address\nIAD,iad-1,192.0.2.10\nXYZ,x,192.0.2.11\nXYZ,y\n")
    assert "caches.csv:4:1: a cache needs address" in refusal("cache", "import", file, "--db", db)
    file.write_text("colo,name,address\nIAD,iad-1,192.0.2.10\nXYZ,x,192.0.2.11\n")
    assert "caches.csv:3:1: there is no colo XYZ" in refusal("cache", "import", file, "--db", db)
    refusal("cache", "import", tmp_path / "absent.csv", "--db", db)
    assert names(db) == []
