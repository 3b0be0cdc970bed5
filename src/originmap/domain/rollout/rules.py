"""The rule that applies a step to the rollout."""

from dataclasses import replace

from originmap.domain.errors import RolloutConflict
from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.rollout.rollout import Rollout, Step

ROLLOUT = Key(Kind.ROLLOUT, "rollout")


def take(step: Step, by: str, at: int, number: int | None = None) -> RecordDecide[Rollout]:
    """Apply `step` for the credential `by`, at the time `at`. Raises RolloutConflict, also if the
    last rollout has another number than `number`."""

    def decide(records: RecordsView) -> RecordDecision[Rollout]:
        stored = records.get(ROLLOUT)
        before = stored if isinstance(stored, Rollout) else None
        if number is not None and (before is None or before.number != number):
            raise RolloutConflict(f"rollout {number} has been replaced by another one")
        after = replace(step(before), by=by, changed_on=at)
        return RecordDecision((RecordChange(ROLLOUT, before, after),), after)

    return decide
