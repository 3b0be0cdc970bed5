"""Many concurrent writers on a running server: limits are exact, and no write is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process import ZONE, Server
from tests.real.cluster.history import checked
from tests.real.server.wire import Answer, Connection

PATH = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
LIMIT = 3500
WRITERS = 64
FULL = (403, 1164)
FULL_MESSAGE = "Maximum number of IP mappings configured for zone."


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "race.db"


@pytest.fixture
def server(db: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(str(db), tmp_path, args=["--no-log-requests"]) as server:
        yield server


def item(ip: str, region: str = "us-east-1") -> dict[str, str]:
    return {"origin_ip": ip, "vendor": "aws", "region": region}


def old(number: int) -> str:
    """An address that `fill` has mapped."""
    return f"10.1.{number // 250}.{number % 250}"


async def fill(url: str, count: int) -> None:
    """Map `count` addresses of a new zone."""
    async with Connection(url) as connection:
        for start in range(0, count, 100):
            batch = [item(old(n)) for n in range(start, min(start + 100, count))]
            answer = await connection.ask("PUT", f"{PATH}/batch", batch)
            assert len(answer.result["succeeded"]) == len(batch)


async def put(connection: Connection, ip: str, region: str = "us-east-1") -> Answer:
    return await connection.ask("PUT", f"{PATH}/{ip}", item(ip, region))


async def race(url: str, write: Callable[[Connection, int], Awaitable[Answer]]) -> list[Answer]:
    """Connect all writers first, then let them write at the same time."""
    ready = asyncio.Barrier(WRITERS)

    async def one(number: int) -> Answer:
        async with Connection(url) as connection:
            await ready.wait()
            return await write(connection, number)

    return await asyncio.gather(*(one(number) for number in range(WRITERS)))


async def stored(url: str) -> dict[str, Any]:
    """Every entry of the zone by its address; the total on each page agrees."""
    found: dict[str, Any] = {}
    totals = set()
    async with Connection(url) as connection:
        for page in range(1, LIMIT // 100 + 3):
            answer = await connection.ask("GET", f"{PATH}?per_page=100&page={page}")
            totals.add(answer.json["result_info"]["total_count"])
            found.update((entry["origin_ip"], entry) for entry in answer.result)
    assert totals == {len(found)}
    return found


def assert_refused_for_the_limit(answers: list[Answer]) -> None:
    for answer in answers:
        assert answer.refusal == FULL
        assert [error["message"] for error in answer.json["errors"]] == [FULL_MESSAGE]


@pytest.mark.proves("P-PUT-5")
async def test_64_writers_fill_exactly_the_last_five_mappings(server: Server, db: Path) -> None:
    await fill(server.url, LIMIT - 5)

    answers = await race(server.url, lambda connection, n: put(connection, f"10.2.0.{n}"))

    won = {n for n, answer in enumerate(answers) if answer.status == 200}
    assert len(won) == 5
    assert_refused_for_the_limit([answers[n] for n in range(WRITERS) if n not in won])
    found = await stored(server.url)
    assert len(found) == LIMIT
    assert {ip for ip in found if ip.startswith("10.2.")} == {f"10.2.0.{n}" for n in won}
    checked(db)


@pytest.mark.proves("P-BPUT-5")
async def test_a_batch_over_the_limit_applies_nothing(server: Server, db: Path) -> None:
    await fill(server.url, LIMIT - 100)
    batches = [[f"10.3.{n}.{i}" for i in range(n % 13 + 1)] for n in range(WRITERS)]

    async def put_many(connection: Connection, n: int) -> Answer:
        return await connection.ask("PUT", f"{PATH}/batch", [item(ip) for ip in batches[n]])

    answers = await race(server.url, put_many)

    won = {n for n, answer in enumerate(answers) if answer.status == 200}
    lost = set(range(WRITERS)) - won
    assert won
    assert lost
    assert all(answers[n].result["failed"] == [] for n in won)
    assert_refused_for_the_limit([answers[n] for n in lost])
    found = await stored(server.url)
    new = {ip for ip in found if ip.startswith("10.3.")}
    assert new == {ip for n in won for ip in batches[n]}
    # No writer was rejected while there was room: places were only taken, never freed.
    assert len(found) + min(len(batches[n]) for n in lost) > LIMIT >= len(found)
    checked(db)


async def test_single_and_batch_writers_and_deleters_never_pass_the_limit(
    server: Server, db: Path
) -> None:
    await fill(server.url, LIMIT - 5)

    async def turn(connection: Connection, n: int) -> Answer:
        """Each with its own addresses: add one, add three, delete one, add it again."""
        mine = [f"10.4.{n}.{i}" for i in range(4)]
        kept: set[str] = set()
        for ip in (mine[0], None, mine[0], mine[0]):
            if ip is None:
                answer = await connection.ask("PUT", f"{PATH}/batch", [item(i) for i in mine[1:]])
                kept |= set(mine[1:]) if answer.status == 200 else set()
            elif ip in kept:
                answer = await connection.ask("DELETE", f"{PATH}/{ip}")
                assert answer.status == 200
                kept.remove(ip)
            else:
                answer = await put(connection, ip)
                kept |= {ip} if answer.status == 200 else set()
            assert answer.status == 200 or answer.refusal == FULL
        expected.update(kept)
        return answer

    expected: set[str] = set()
    await race(server.url, turn)

    found = await stored(server.url)
    assert {ip for ip in found if ip.startswith("10.4.")} == expected
    assert len(found) <= LIMIT
    checked(db)


async def test_concurrent_replacements_in_a_full_zone_succeed(server: Server, db: Path) -> None:
    await fill(server.url, LIMIT)

    async def replace(connection: Connection, n: int) -> Answer:
        return await put(connection, old(n), "eu-west-1")

    assert {answer.status for answer in await race(server.url, replace)} == {200}

    found = await stored(server.url)
    assert Counter(e["region"] for e in found.values()) == {
        "eu-west-1": WRITERS,
        "us-east-1": LIMIT - WRITERS,
    }
    checked(db)


async def test_the_same_put_by_many_writers_changes_each_address_once(
    server: Server, db: Path
) -> None:
    ips = [f"192.0.2.{n}" for n in range(8)] + ["2001:db8::1"]
    before = checked(db).revision

    async def put_all(connection: Connection, n: int) -> Answer:
        for ip in ips[n % len(ips) :] + ips[: n % len(ips)]:
            answer = await put(connection, ip)
            assert answer.status == 200
            seen[ip].add(answer.result["modified_on"])
        return answer

    seen: dict[str, set[str]] = {ip: set() for ip in ips}
    await race(server.url, put_all)

    found = await stored(server.url)
    assert seen == {ip: {found[ip]["modified_on"]} for ip in ips}
    assert checked(db).revision == before + len(ips)


async def test_concurrent_writes_of_one_address_end_with_one_of_their_values(
    server: Server, db: Path
) -> None:
    regions = ("us-east-1", "eu-west-1")
    stamps: list[str] = []

    async def put_often(connection: Connection, n: int) -> Answer:
        for turn in range(10):
            answer = await put(connection, "192.0.2.1", regions[(n + turn) % 2])
            assert answer.status == 200
            assert answer.result["region"] == regions[(n + turn) % 2]
            stamps.append(answer.result["modified_on"])
        return answer

    await race(server.url, put_often)

    found = await stored(server.url)
    assert list(found) == ["192.0.2.1"]
    assert found["192.0.2.1"]["modified_on"] == max(stamps)
    checked(db)
