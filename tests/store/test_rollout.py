"""The record of the rollout, on every store: kept, told, in the history, and in copies."""

from pathlib import Path

import pytest

from originmap import data
from originmap.domain.errors import RolloutConflict, Stale
from originmap.domain.history.record import RecordChange
from originmap.domain.history.snapshot import Record
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


async def test_a_rollout_is_in_the_feed_and_in_the_history(store: Store) -> None:
    told: list[RecordChange] = []
    store.follow_records(told.extend)
    told.clear()
    rollout = await started(store)
    held, start = await store.changes(1, 10)
    assert [held.what, start.what] == told
    assert told[1] == RecordChange(ROLLOUT, told[0].after, rollout)
    assert (start.zone_id, start.cause) == ("", CAUSE)


async def test_a_step_that_is_refused_leaves_no_trace(store: Store) -> None:
    with pytest.raises(RolloutConflict):
        await store.write_records(take(rollouts.finish(), "me", 6), CAUSE)
    assert store.revision == 1


async def test_a_step_is_refused_after_a_newer_commit(
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


async def test_a_rollout_is_in_copies_whole_and_step_by_step(store: Store, tmp_path: Path) -> None:
    rollout = await started(store)
    step_by_step, whole = MemoryStore(), SqliteStore(tmp_path / "copy.db")
    await step_by_step.apply(await store.changes(0, 10))
    await whole.load(store.snapshot())
    for copy in (step_by_step, whole):
        records = [part for part in [p async for p in copy.snapshot()] if isinstance(part, Record)]
        assert Record(ROLLOUT, rollout) in records
    await whole.close()


def service(store: Store, clock: Clock) -> Rollouts:
    topologies = Topologies(store, data.catalogue(), data.topology(), clock)
    return Rollouts(store, Followers(store, clock), topologies, clock)


async def put(store: Store, text: str, place: mapping.Place = US_EAST) -> int:
    """The revision of the change."""
    done = await store.write(ZONE_ID, (ip(text),), mapping.put(ip(text), place), CAUSE)
    return done.revision


async def test_writes_acknowledged_before_the_start_are_released(
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


async def test_what_another_process_answered_is_released_too(
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
