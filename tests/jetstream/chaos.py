"""SIGKILL at random moments to a NATS server, a publisher, an agent and a replica.

`make chaos-nats` runs it. Mappings change all the time. In the end the stream, the replica and the
agent's file must be those of the primary: no revision is missing or there twice, and no follower
needed a full sync.
"""

import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.caches.network import free_port
from tests.jetstream.broker import Broker
from tests.jetstream.primary import access_to, gaps, stored
from tests.jetstream.processes import Agent, Publisher, Started
from tests.process import BEARER, TOKEN, ZONE, Server
from tests.real.command import output

KILLS = 1_000
_BETWEEN_CHECKS = 15
_LONGEST_PAUSE = 0.2
_CATCH_UP_SECONDS = 60
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")


class Writer(threading.Thread):
    """Changes mappings until it is stopped."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._mappings = f"{url}/client/v4/zones/{ZONE}/origin/cloud_regions"
        self._ended = threading.Event()
        self.writes = 0

    def run(self) -> None:
        with httpx.Client(headers=BEARER) as http:
            while not self._ended.wait(0.02):
                ip = f"192.0.2.{self.writes % 100}"
                region = REGIONS[self.writes // 100 % len(REGIONS)]
                body = {"origin_ip": ip, "vendor": "aws", "region": region}
                http.put(f"{self._mappings}/{ip}", json=body).raise_for_status()
                self.writes += 1

    def stop(self) -> None:
        """Stop after the write in flight."""
        self._ended.set()
        self.join()


class Site:
    """All processes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.primary = stack.enter_context(Server(str(folder / "primary.db"), folder))
        self.broker = stack.enter_context(Broker(folder))
        env = {"ORIGINMAP_TOKEN": TOKEN}
        self.publisher = stack.enter_context(Publisher(self.primary.url, self.broker, folder, env))
        follow = ["--follow", f"{self.broker.address}/ORIGINMAP"]
        self.agent = stack.enter_context(Agent(folder, follow))
        self.replica_port = free_port()
        words = ["serve", "--db", str(folder / "replica.db"), "--port", str(self.replica_port)]
        self.replica = stack.enter_context(Started("replica", [*words, *follow], folder, {}))
        self.kills: Counter[str] = Counter()

    def kill_one(self, chance: random.Random) -> None:
        """Kill a process and start it again."""
        victims: dict[str, Broker | Started] = {
            "NATS server": self.broker,
            "publisher": self.publisher,
            "agent": self.agent,
            "replica": self.replica,
        }
        (name,) = chance.choices(list(victims), (4, 3, 1, 1))
        time.sleep(chance.uniform(0, _LONGEST_PAUSE))
        victims[name].kill()
        if isinstance(victims[name], Broker):
            self.broker.start(wait=False)
        else:
            victims[name].start()
        self.kills[name] += 1

    def catch_up(self) -> None:
        """Wait until the agent and the replica have what the primary has now."""
        wanted = self.revision()
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while min(self._of_replica(), self._of_agent()) < wanted:
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.05)

    def revision(self) -> int:
        """The revision of the primary."""
        return revision_at(self.primary.url)

    def changes(self, url: str, since: int) -> list[dict[str, Any]]:
        """The history of a server."""
        found: list[dict[str, Any]] = []
        while True:
            answer = httpx.get(
                f"{url}/originmap/v1/changes",
                params={"since": since, "limit": 5_000, "whole": "true"},
                headers=BEARER,
            ).json()["result"]
            assert not answer["reset"], answer
            found += answer["changes"]
            if not answer["changes"]:
                return found
            since = answer["revision"]

    def check(self) -> int:
        """Check everything; return the number of messages."""
        messages = asyncio.run(stored(access_to(self.broker.address, "ORIGINMAP")))
        assert gaps(message for _, _, message in messages) == []
        assert [message.reset for _, _, message in messages] == [True] + [False] * (
            len(messages) - 1
        )
        first, last = messages[0][2], messages[-1][2]
        assert last.revision == self.revision()
        expected = self.changes(self.primary.url, first.revision)
        ids = [headers.get("Nats-Msg-Id") for _, headers, _ in messages]
        assert len(set(ids)) == len(ids)
        replica = f"http://127.0.0.1:{self.replica_port}"
        assert self.changes(replica, first.revision) == expected
        for log in (self.agent.log, self.replica.log):
            assert '"event":"full sync"' not in log.read_text(), log.read_text()
        assert self.agent.file.read_text() == self._file_over_http()
        return len(messages)

    def _file_over_http(self) -> str:
        file = self.folder / "http.csv"
        output(
            *("edge", "--follow", self.primary.url, "--colo", "SIN", "--write", f"csv={file}"),
            *("--state", str(self.folder / "http"), "--once", "--token-file", self._token_file()),
        )
        return file.read_text()

    def _token_file(self) -> str:
        file = self.folder / "token"
        file.write_text(TOKEN)
        return str(file)

    def _of_replica(self) -> int:
        try:
            return revision_at(f"http://127.0.0.1:{self.replica_port}")
        except (httpx.TransportError, KeyError, TypeError):
            return -1  # it is starting

    def _of_agent(self) -> int:
        found = [f for f in followers(self.primary.url) if f["name"] == "edge-1"]
        return int(found[0]["applied"] or 0) if found else -1

    def _logs(self) -> str:
        logs = (self.publisher.log, self.agent.log, self.replica.log, self.broker.log)
        return "\n\n".join(f"{log.name}:\n{log.read_text()[-3_000:]}" for log in logs)


def revision_at(url: str) -> int:
    """The revision of a server."""
    answer = httpx.get(f"{url}/originmap/v1/changes", headers=BEARER, timeout=5)
    return int(answer.json()["result"]["revision"])


def followers(url: str) -> list[dict[str, Any]]:
    """The followers of the primary."""
    answer = httpx.get(f"{url}/originmap/v1/followers", headers=BEARER)
    result = answer.json()["result"]
    assert isinstance(result, list)
    return result


def run(kills: int, folder: Path, seed: int) -> str:
    """Run the test; return what happened."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        site = Site(folder, stack)
        writer = Writer(site.primary.url)
        writer.start()
        site.catch_up()
        for number in range(1, kills + 1):
            site.kill_one(chance)
            if number % _BETWEEN_CHECKS == 0:
                site.catch_up()
            if number % 100 == 0:
                print(f"{number:,} kills, {writer.writes:,} writes", flush=True)
        writer.stop()
        site.catch_up()
        messages = site.check()
        killed = ", ".join(f"{name} {count}" for name, count in sorted(site.kills.items()))
        return f"{writer.writes:,} writes, {messages:,} messages; kills: {killed}; nothing missing"


def main() -> None:
    """Run with KILLS from the environment."""
    kills, seed = int(os.environ.get("KILLS", KILLS)), int(os.environ.get("SEED", time.time()))
    print(f"{kills:,} kills with seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(run(kills, Path(folder), seed))


if __name__ == "__main__":
    sys.exit(main())
