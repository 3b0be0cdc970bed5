"""The history of a zone on the command line: history, diff, rollback."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, ZONE, Server
from tests.real.command import output, refusal, rows

EAST, WEST = ({"vendor": "aws", "region": region} for region in ("us-east-1", "us-west-2"))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Path]:
    """The database of a server: a mapping was moved, then the zone was paused."""
    db = tmp_path / "past.db"
    with Server(str(db), tmp_path) as server:
        for place in (EAST, WEST):
            body = {"origin_ip": "192.0.2.1", **place}
            httpx.put(f"{server.mappings}/192.0.2.1", json=body, headers=BEARER).raise_for_status()
        zone = f"{server.api}/zones/{ZONE}"
        httpx.patch(zone, json={"paused": True}, headers=BEARER).raise_for_status()
        yield db


def past(db: Path) -> list[int]:
    """The revisions of the changes of the zone's mappings, newest first."""
    return [row["revision"] for row in rows("history", "example.com", "--db", db)]


def test_the_limit_counts_changes_of_mappings(db: Path) -> None:
    (newest,) = rows("history", "example.com", "--limit", "1", "--db", db)
    assert (newest["before"], newest["after"]) == (EAST, WEST)


def test_a_rollback_makes_the_changes_of_its_preview(db: Path) -> None:
    first = str(past(db)[-1])
    change = {"origin_ip": "192.0.2.1", "before": WEST, "after": EAST}
    assert rows("rollback", ZONE, "--to", first, "--dry-run", "--db", db) == [change]
    assert rows("diff", ZONE, first, "--db", db) == [{**change, "before": EAST, "after": WEST}]
    assert rows("rollback", ZONE, "--to", first, "--yes", "--db", db) == [change]
    assert rows("diff", ZONE, first, "--db", db) == []
    assert rows("rollback", ZONE, "--to", first, "--db", db) == []
    assert "nothing to do" in output("rollback", ZONE, "--to", first, "--db", db)


def test_a_rollback_without_confirmation_prints_no_result(db: Path) -> None:
    before = past(db)
    asked = refusal("rollback", ZONE, "--to", str(before[-1]), "--json", "--db", db)
    assert "192.0.2.1  aws us-west-2  aws us-east-1" in asked
    assert past(db) == before
