"""The record of the rollout, on every store: persistence, listeners, history and copies."""

from pathlib import Path

import apsw
import asyncpg
import pytest

from originmap import data
from originmap.domain.errors import RolloutConflict, Stale
from originmap.domain.history.record import RecordChange
from originmap.domain.history.snapshot import Record
from originmap.domain.hook.hook import Hook, HookPosition
from originmap.domain.hook.rules import add_hook, save_position
from originmap.domain.mapping import mapping
from originmap.domain.rollout import rollout as rollouts
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.rollout.rules import ROLLOUT, take
from originmap.service.feed.followers import Followers
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.rollout.steps import Finish, Hold, Start
from originmap.service.tier.topology import Topologies
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.postgres.store import open_postgres
from originmap.store.sqlite.store import SqliteStore
from tests.builders import CAUSE, US_EAST, US_WEST, ZONE_ID, ip, new_zone
from tests.postgres import Cluster
from tests.store.conftest import Clock


async def started(store: Store) -> Rollout:
    """A rollout that was held and started."""
    await store.write_records(take(rollouts.hold(1, 5), "me", 5), CAUSE)
    start = rollouts.start(("SIN", "100%"), None, 2, 6)
    return (await store.write_records(take(start, "me", 6), CAUSE)).outcome


async def test_listeners_and_the_history_get_a_rollout(store: Store) -> None:
    told: list[RecordChange] = []
    store.follow_records(told.extend)
    told.clear()
    rollout = await started(store)
    held, start = await store.changes(1, 10)
    assert [held.what, start.what] == told
    assert told[1] == RecordChange(ROLLOUT, told[0].after, rollout)
    assert (start.zone_id, start.cause) == ("", CAUSE)


async def test_a_rejected_step_is_not_recorded(store: Store) -> None:
    with pytest.raises(RolloutConflict):
        await store.write_records(take(rollouts.finish(), "me", 6), CAUSE)
    assert store.revision == 1


async def test_a_step_is_rejected_after_a_commit_beyond_the_expected_revision(
    store: Store,
) -> None:
    await started(store)
    seen = store.revision
    await put(store, "192.0.2.1")
    finish = take(rollouts.finish(), "me", 6)
    with pytest.raises(Stale):
        await store.write_records(finish, CAUSE, seen)
    assert store.revision == seen + 1
    assert (await store.write_records(finish, CAUSE, seen + 1)).revision == seen + 2


async def test_copies_have_the_rollout_from_snapshots_and_from_changes(
    store: Store, tmp_path: Path
) -> None:
    rollout = await started(store)
    step_by_step, whole = MemoryStore(), SqliteStore(tmp_path / "copy.db")
    await step_by_step.apply(await store.changes(0, 10))
    await whole.load(store.snapshot())
    for copy in (step_by_step, whole):
        records = [part for part in [p async for p in copy.snapshot()] if isinstance(part, Record)]
        assert Record(ROLLOUT, rollout) in records
    await whole.close()


OLD = "replace({0}, '\"stages\":', '\"waves\":')"


async def test_a_file_with_the_earlier_name_of_the_stages_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    store = SqliteStore(path)
    await started(store)
    changes = await store.changes(0, 10)
    await store.close()
    connection = apsw.Connection(str(path))
    for table, column in (("record", "body"), ("record_change", "after")):
        old = OLD.format(f"CAST({column} AS TEXT)")
        connection.execute(f"UPDATE {table} SET {column} = CAST({old} AS BLOB)")
    count = "SELECT count(*) FROM record WHERE CAST(body AS TEXT) LIKE '%\"waves\":%'"
    assert connection.execute(count).get == 1
    connection.pragma("user_version", 2)
    connection.close()
    store = SqliteStore(path)
    assert await store.changes(0, 10) == changes
    assert Record(ROLLOUT, changes[-1].what.after) in [part async for part in store.snapshot()]
    await store.close()


async def test_a_database_with_the_earlier_name_of_the_stages_is_migrated(url: str) -> None:
    store = await open_postgres(url)
    await started(store)
    changes = await store.changes(0, 10)
    await store.close()
    connection = await asyncpg.connect(url)
    for table, column in (("record", "body"), ("change", "new_body")):
        old = OLD.format(f"convert_from({column}, 'UTF8')")
        await connection.execute(f"UPDATE {table} SET {column} = convert_to({old}, 'UTF8')")
    count = "SELECT count(*) FROM record WHERE convert_from(body, 'UTF8') LIKE '%\"waves\":%'"
    assert await connection.fetchval(count) == 1
    await connection.execute("UPDATE originmap SET version = 1")
    await connection.close()
    store = await open_postgres(url)
    assert await store.changes(0, 10) == changes
    assert Record(ROLLOUT, changes[-1].what.after) in [part async for part in store.snapshot()]
    await store.close()


def service(store: Store, clock: Clock) -> Rollouts:
    topologies = Topologies(store, data.catalogue, data.topology(), clock)
    return Rollouts(store, Followers(store, clock), topologies, clock)


async def put(store: Store, text: str, place: mapping.Place = US_EAST) -> int:
    """Write a mapping and return the revision."""
    done = await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)
    return done.revision


async def test_changes_acknowledged_before_the_start_are_released(
    store: Store, clock: Clock
) -> None:
    served = service(store, clock)
    base = await put(store, "192.0.2.1")
    assert (await served.take(Hold(), CAUSE)).base == base
    last = await put(store, "192.0.2.1", US_WEST)
    assert (await served.take(Start("100%"), CAUSE)).target == last
    assert served.floor == base
    shown = await served.status()
    assert shown is not None
    assert (shown.changes, shown.later) == (1, 0)
    await served.take(Finish(), CAUSE)
    assert served.floor is None


async def test_changes_acknowledged_by_another_process_are_released(
    cluster: Cluster, clock: Clock
) -> None:
    url = cluster.new_database()
    here, there = await open_postgres(url, clock), await open_postgres(url, clock)
    try:
        await here.write_records(new_zone(), CAUSE)
        await there.write_records(take(rollouts.hold(1, 5), "me", 5), CAUSE)
        served, base = service(here, clock), 1
        for n in range(20):
            last = await put(there, f"192.0.2.{n}")
            start = await served.take(Start("100%"), CAUSE)
            assert (start.base, start.target) == (base, last)
            await served.take(Finish(), CAUSE)
            await there.write_records(take(rollouts.hold(last, 5), "me", 5), CAUSE)
            base = last
    finally:
        await here.close()
        await there.close()


async def test_only_what_nodes_serve_counts_for_a_rollout_that_ends(clock: Clock) -> None:
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    hook = Hook("ops", "https://a.example/", ("mapping",), "whsec_" + "c2VjcmV0" * 4, 0, 1)
    await started(store)
    seen = store.revision
    await store.write_records(add_hook(hook), CAUSE)
    await store.write_records(save_position(hook, HookPosition("ops", seen), 1), CAUSE)
    assert (await service(store, clock).take(Finish(revision=seen), CAUSE)).state == "done"
    await started(store)
    seen = store.revision
    await put(store, "192.0.2.1")
    with pytest.raises(RolloutConflict, match="check the changes"):
        await service(store, clock).take(Finish(revision=seen), CAUSE)
