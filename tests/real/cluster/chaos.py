"""Failover under load: `make chaos`.

A primary PostgreSQL server with a synchronous standby, two Originmap servers that know both, and
writers. The primary is killed, the standby promoted, and every acknowledged write checked; then the
same with a primary that only stops responding. Exit status 1 if a write is missing, or if a server
does not write again within 10 s of the promotion.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from originmap.api.timestamps import timestamp
from originmap.domain.mapping import address
from originmap.domain.mapping.mapping import MappingChange
from originmap.store.postgres.store import open_postgres
from tests.postgres import USER, Cluster
from tests.process import Server
from tests.real.command import output

WRITERS = 32
LOAD_SECONDS = 3.0
NOTICED_SECONDS = 1.0  # the minimum time in which a failover manager detects a failure
LIMIT_SECONDS = 10.0
REGIONS = ("us-east-1", "us-west-2")


@dataclass
class Load:
    """The responses of the writers, with their times."""

    acknowledged: list[tuple[str, str]] = field(default_factory=list)  # address, modified_on
    refused: int = 0
    first_after: dict[str, float] = field(default_factory=dict)  # by server
    killed_at: float | None = None
    ended: bool = False


def main(hangs: bool) -> int:
    """Run one failover; with `hangs` the primary stops responding instead of exiting."""
    with ExitStack() as stack:
        primary, standby = pair(stack)
        name = primary.new_database().rpartition("/")[2]
        url = (
            f"postgresql://{USER}@{primary.address},{standby.address}/{name}"
            "?target_session_attrs=read-write"
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        zone = output("zone", "create", "example.com", "--db", url).strip()
        made = ("token", "create", "chaos", "--zone", "all", "--access", "write")
        token = output(*made, "--db", url).strip()
        nodes = [stack.enter_context(Server(url, folder, "serve")) for _ in range(2)]
        load = Load()
        promoted_at = asyncio.run(fail_over(nodes, zone, token, load, (primary, standby), hangs))
        missing = asyncio.run(lost(standby.url(name), load))
    return told(load, promoted_at, missing)


def pair(stack: ExitStack) -> tuple[Cluster, Cluster]:
    """A primary, and a standby that must confirm every commit."""
    primary = Cluster(durable=True)
    stack.callback(primary.remove)
    standby = Cluster(durable=True, copy_of=primary)
    stack.callback(standby.remove)
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'", "postgres")
    primary.sql("SELECT pg_reload_conf()", "postgres")
    while primary.sql("SELECT sync_state FROM pg_stat_replication", "postgres") != "sync":
        time.sleep(0.05)
    return primary, standby


async def fail_over(
    nodes: list[Server],
    zone: str,
    token: str,
    load: Load,
    pair: tuple[Cluster, Cluster],
    hangs: bool,
) -> float:
    """Kill the primary under load and promote the standby; return the time of the promotion."""
    primary, standby = pair
    paths = [f"{node.api}/zones/{zone}/origin/cloud_regions" for node in nodes]
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}"}, timeout=LIMIT_SECONDS
    ) as client:
        writers = [
            asyncio.ensure_future(write(client, paths[n % len(paths)], n, load))
            for n in range(WRITERS)
        ]
        await asyncio.sleep(LOAD_SECONDS)
        before = len(load.acknowledged)
        load.killed_at = time.monotonic()
        primary.hang() if hangs else primary.kill()
        print(
            f"primary {'hangs' if hangs else 'killed'} after {before:,} acknowledged writes",
            flush=True,
        )
        await asyncio.sleep(NOTICED_SECONDS)
        promoted_at = time.monotonic()
        await asyncio.to_thread(standby.promote)
        print(f"standby promoted in {time.monotonic() - promoted_at:.2f} s", flush=True)
        deadline = promoted_at + 3 * LIMIT_SECONDS
        while len(load.first_after) < len(paths) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await asyncio.sleep(LOAD_SECONDS)
        load.ended = True
        await asyncio.gather(*writers)
    return promoted_at


async def write(client: httpx.AsyncClient, path: str, writer: int, load: Load) -> None:
    """Change mappings until the end, and continue after every error."""
    count = 0
    while not load.ended:
        count += 1
        ip = f"10.0.{writer}.{count % 50}"
        region = REGIONS[count // 50 % 2]
        body = {"origin_ip": ip, "vendor": "aws", "region": region}
        started = time.monotonic()
        try:
            answer = await client.put(f"{path}/{ip}", json=body)
            answer.raise_for_status()
        except httpx.HTTPError:
            load.refused += 1
            await asyncio.sleep(0.05)
            continue
        load.acknowledged.append((ip, answer.json()["result"]["modified_on"]))
        if load.killed_at is not None and started > load.killed_at:
            load.first_after.setdefault(path, time.monotonic())


async def lost(url: str, load: Load) -> set[tuple[str, str]]:
    """Acknowledged writes that are missing in the history of the new primary. The history must have
    every revision once.
    """
    store = await open_postgres(url)
    found: set[tuple[str, str]] = set()
    since = 0
    while changes := await store.changes(since, 5_000):
        assert [change.revision for change in changes] == list(
            range(since + 1, since + 1 + len(changes))
        )
        since = changes[-1].revision
        found.update(
            (address.text(change.what.address), timestamp(change.at))
            for change in changes
            if isinstance(change.what, MappingChange)
        )
    await store.close()
    return set(load.acknowledged) - found


def told(load: Load, promoted_at: float, missing: set[tuple[str, str]]) -> int:
    """Print the result; returns the exit status."""
    assert load.killed_at is not None
    print(f"{len(load.acknowledged):,} writes acknowledged, {load.refused:,} rejected in between")
    print(f"acknowledged and lost: {len(missing)}")
    back = True
    for server, moment in sorted(load.first_after.items()):
        since_kill, since_promotion = moment - load.killed_at, moment - promoted_at
        back &= since_promotion <= LIMIT_SECONDS
        print(
            f"{server.split('/client')[0]} wrote again {since_promotion:.2f} s after the promotion,"
            f" {since_kill:.2f} s after the kill"
        )
    back &= len(load.first_after) == 2
    print("passed" if back and not missing else "FAILED")
    return 0 if back and not missing else 1


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(False) or main(True))
