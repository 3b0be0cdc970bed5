"""SIGKILL at random moments under load: acknowledged writes are durable, and none is partial.

Each kill is followed by a restart with the same file. `--kills` sets the number; the seed of the
random choices is printed, and `ORIGINMAP_CRASH_SEED` sets it.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.process import COMMAND, ZONE, Server
from tests.real.cluster.history import History
from tests.real.server.wire import Connection, Cut

PATH = f"/client/v4/zones/{ZONE}/origin/cloud_regions"
WORKERS = 16
OWN = 24
PLACES = (
    ("aws", "us-east-1"),
    ("aws", "eu-west-1"),
    ("gcp", "us-central1"),
    ("oci", "uk-london-1"),
)
SHARED = [f"198.51.100.{n}" for n in range(4)]

Place = tuple[str, str]
State = dict[str, Place]


@dataclass
class Ledger:
    """The addresses of one worker: the acknowledged values, and the values if the write in flight
    was committed.
    """

    addresses: list[str]
    acknowledged: State = field(default_factory=dict)
    if_committed: State | None = None

    def settle(self, found: State) -> None:
        """Check the state after a restart; the next round starts from it."""
        actual = {ip: found[ip] for ip in self.addresses if ip in found}
        assert actual in (self.acknowledged, self.if_committed), _difference(self, actual)
        self.acknowledged, self.if_committed = actual, None


@dataclass
class Write:
    """A write to a shared address; `ended` is None while it is in flight."""

    place: Place | None
    began: int
    ended: int | None = None


@dataclass
class SharedAddress:
    """An address that every worker writes: the order of overlapping writes is unknown."""

    writes: list[Write] = field(default_factory=lambda: [Write(None, 0, 0)])

    def settle(self, actual: Place | None) -> None:
        """Check a restart: no acknowledged write began after the stored one ended."""
        done = [write for write in self.writes if write.ended is not None]
        latest = max(write.began for write in done)
        allowed = {w.place for w in self.writes if w.ended is None or w.ended >= latest}
        assert actual in allowed, f"found {actual}, expected one of {allowed}"
        self.writes = [Write(actual, 0, 0)]


class Model:
    """The writes that must be durable."""

    def __init__(self) -> None:
        self.ledgers = [
            Ledger(
                [f"10.0.{w}.{n}" for n in range(OWN // 2)]
                + [f"2001:db8:{w + 1:x}::{n + 1:x}" for n in range(OWN // 2)]
            )
            for w in range(WORKERS)
        ]
        self.shared = {ip: SharedAddress() for ip in SHARED}
        self.requests: set[str] = set()  # acknowledged, and with a known effect
        self.answers = 0
        self._tick = 0

    def tick(self) -> int:
        """The next moment: each begin and end of a write has a different one."""
        self._tick += 1
        return self._tick

    def settle(self, found: State) -> None:
        """Check the complete state after a restart."""
        for ledger in self.ledgers:
            ledger.settle(found)
        for ip, address in self.shared.items():
            address.settle(found.get(ip))
        known = {ip for ledger in self.ledgers for ip in ledger.addresses} | self.shared.keys()
        assert found.keys() <= known


class Worker:
    """Writes over one connection, one after the other, until the server is killed."""

    def __init__(self, model: Model, ledger: Ledger, chance: random.Random) -> None:
        self._model = model
        self._ledger = ledger
        self._chance = chance

    async def run(self, url: str) -> None:
        kinds = (self._put, self._delete, self._put_many, self._delete_many, self._share)
        try:
            async with Connection(url) as connection:
                while True:
                    (kind,) = self._chance.choices(kinds, (8, 3, 3, 2, 4))
                    await kind(connection)
        except Cut:
            return

    async def _put(self, connection: Connection) -> None:
        ip, place = self._chance.choice(self._ledger.addresses), self._place()
        self._ledger.if_committed = {**self._ledger.acknowledged, ip: place}
        answer = await connection.ask("PUT", f"{PATH}/{ip}", _body(ip, place))
        assert answer.status == 200
        self._acknowledge(answer.headers["cf-ray"])

    async def _delete(self, connection: Connection) -> None:
        ip = self._chance.choice(self._ledger.addresses)
        self._ledger.if_committed = {
            other: place for other, place in self._ledger.acknowledged.items() if other != ip
        }
        answer = await connection.ask("DELETE", f"{PATH}/{ip}")
        assert answer.status == (200 if ip in self._ledger.acknowledged else 404)
        self._acknowledge(answer.headers["cf-ray"])

    async def _put_many(self, connection: Connection) -> None:
        items = {ip: self._place() for ip in self._some_addresses()}
        self._ledger.if_committed = {**self._ledger.acknowledged, **items}
        body = [_body(ip, place) for ip, place in items.items()]
        answer = await connection.ask("PUT", f"{PATH}/batch", body)
        assert _addresses(answer.result["succeeded"]) == set(items)
        self._acknowledge(answer.headers["cf-ray"])

    async def _delete_many(self, connection: Connection) -> None:
        gone = self._some_addresses()
        before = self._ledger.acknowledged
        self._ledger.if_committed = {ip: p for ip, p in before.items() if ip not in gone}
        answer = await connection.ask("DELETE", f"{PATH}/batch", gone)
        assert _addresses(answer.result["succeeded"]) == before.keys() & set(gone)
        self._acknowledge(answer.headers["cf-ray"])

    async def _share(self, connection: Connection) -> None:
        ip = self._chance.choice(SHARED)
        write = Write(self._chance.choice((*PLACES, None)), self._model.tick())
        self._model.shared[ip].writes.append(write)
        if write.place is None:
            answer = await connection.ask("DELETE", f"{PATH}/{ip}")
            assert answer.status in (200, 404)
        else:
            answer = await connection.ask("PUT", f"{PATH}/{ip}", _body(ip, write.place))
            assert answer.status == 200
        write.ended = self._model.tick()
        self._model.answers += 1

    def _acknowledge(self, request: str) -> None:
        ledger = self._ledger
        assert ledger.if_committed is not None
        if ledger.if_committed != ledger.acknowledged:
            self._model.requests.add(request)
        ledger.acknowledged, ledger.if_committed = ledger.if_committed, None
        self._model.answers += 1

    def _place(self) -> Place:
        return self._chance.choice(PLACES)

    def _some_addresses(self) -> list[str]:
        return self._chance.sample(self._ledger.addresses, self._chance.randint(1, OWN))


class Rounds:
    """Starts, loads, kills and checks one database file."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._folder = folder
        self._db = folder / "crash.db"
        self._chance = chance
        self.model = Model()
        self.history = History(self._db)

    def kill_under_load(self) -> None:
        """Check the state after the last kill, then load the server and kill it."""
        with Server(str(self._db), self._folder, args=["--no-log-requests"]) as server:
            self._check(server)
            asyncio.run(self._load(server, self._chance.uniform(0, 0.4)))

    def kill_while_starting(self) -> None:
        """Kill a process between its start and its first response."""
        process = subprocess.Popen(
            [COMMAND, "dev", "--port", "0", "--db", str(self._db)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(self._chance.uniform(0.05, 0.4))
        process.kill()
        process.wait(20)

    def finish(self) -> None:
        """Check the state after the final kill."""
        with Server(str(self._db), self._folder) as server:
            self._check(server)
        self.history.follow()
        again = History(self._db)
        again.follow()
        assert again.revision == self.history.revision

    def _check(self, server: Server) -> None:
        self.model.settle(asyncio.run(_everything(server.url)))
        self.history.follow()
        lost = self.model.requests - self.history.requests
        assert not lost, f"{len(lost)} acknowledged writes are not in the history"

    async def _load(self, server: Server, seconds: float) -> None:
        workers = [
            Worker(self.model, ledger, random.Random(self._chance.random()))
            for ledger in self.model.ledgers
        ]
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.run(server.url))
            await asyncio.sleep(seconds)
            server.process.kill()
        server.process.wait(20)


def test_acknowledged_writes_survive_and_no_write_is_partial(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kills: int = request.config.getoption("--kills")
    seed = int(os.environ.get("ORIGINMAP_CRASH_SEED", random.randrange(1 << 32)))
    say(f"ORIGINMAP_CRASH_SEED={seed}")
    chance = random.Random(seed)
    rounds = Rounds(tmp_path, chance)
    for number in range(kills):
        say(f"kill {number + 1} of {kills}")
        if chance.random() < 0.2:
            rounds.kill_while_starting()
        else:
            rounds.kill_under_load()
    rounds.finish()
    say(f"{rounds.model.answers} acknowledged, {rounds.history.revision} revisions")
    assert rounds.model.answers > kills, "no write was acknowledged"


def say(line: str) -> None:
    """Printed by pytest if the test fails, and with -s."""
    sys.stdout.write(line + "\n")


async def _everything(url: str) -> State:
    """Every mapping of the zone, from the list."""
    found: State = {}
    async with Connection(url) as connection:
        for page in range(1, 100):
            answer = await connection.ask("GET", f"{PATH}?per_page=100&page={page}")
            for entry in answer.result:
                found[entry["origin_ip"]] = (entry["vendor"], entry["region"])
            if not answer.result:
                assert answer.json["result_info"]["total_count"] == len(found)
                return found
    raise AssertionError("the list does not end")


def _body(ip: str, place: Place) -> dict[str, str]:
    return {"origin_ip": ip, "vendor": place[0], "region": place[1]}


def _addresses(items: list[dict[str, Any]]) -> set[str]:
    return {item["origin_ip"] for item in items}


def _difference(ledger: Ledger, actual: State) -> str:
    """The addresses that differ from the acknowledged values, with their values if the last write
    was committed.
    """
    lines = []
    for ip in ledger.addresses:
        states = (ledger.acknowledged.get(ip), (ledger.if_committed or {}).get(ip), actual.get(ip))
        if len(set(states)) > 1:
            lines.append(f"{ip}: acknowledged {states[0]}, in flight {states[1]}, is {states[2]}")
    return "\n".join(lines)
