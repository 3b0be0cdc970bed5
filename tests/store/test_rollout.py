"""The record of the rollout, on every store: kept, told, in the history, and in copies."""

from pathlib import Path

import pytest

from originmap.domain import rollout as rollouts
from originmap.domain.errors import RolloutConflict
from originmap.domain.record import RecordChange
from originmap.domain.rollout import Rollout
from originmap.domain.rollout_rules import ROLLOUT, take
from originmap.domain.snapshot import Record
from originmap.store.memory import MemoryStore
from originmap.store.port import Store
from originmap.store.sqlite import SqliteStore
from tests.builders import CAUSE


async def started(store: Store) -> Rollout:
    """A rollout that was held and started."""
    await store.write_records(take(rollouts.hold(1, 5), "me", 5), CAUSE)
    start = rollouts.start(("SIN", "100%"), None, 2, 6)
    return (await store.write_records(take(start, "me", 6), CAUSE)).outcome


async def test_a_rollout_is_told_and_in_the_history(store: Store) -> None:
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


async def test_a_rollout_is_in_copies_whole_and_step_by_step(store: Store, tmp_path: Path) -> None:
    rollout = await started(store)
    step_by_step, whole = MemoryStore(), SqliteStore(tmp_path / "copy.db")
    await step_by_step.apply(await store.changes(0, 10))
    await whole.load(store.snapshot())
    for copy in (step_by_step, whole):
        records = [part for part in [p async for p in copy.snapshot()] if isinstance(part, Record)]
        assert Record(ROLLOUT, rollout) in records
    await whole.close()
