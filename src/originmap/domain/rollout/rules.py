"""The rule that takes a rollout a step further."""

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
    """Take `step`, on the word of a credential, at a time. Raises RolloutConflict, also where the
    last rollout is not the one of this number."""

    def decide(records: RecordsView) -> RecordDecision[Rollout]:
        stored = records.get(ROLLOUT)
        before = stored if isinstance(stored, Rollout) else None
        if number is not None and (before is None or before.number != number):
            raise RolloutConflict(f"rollout {number} is no longer the last one")
        after = replace(step(before), by=by, changed_on=at)
        return RecordDecision((RecordChange(ROLLOUT, before, after),), after)

    return decide
