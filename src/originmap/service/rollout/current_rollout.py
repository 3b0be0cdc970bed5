"""The last rollout of a database, as of the last commit."""

from collections.abc import Sequence

from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.rollout.rollout import Rollout
from originmap.store.port import Store


class CurrentRollout:
    """Tracks the record of the rollout."""

    def __init__(self, store: Store) -> None:
        self.rollout: Rollout | None = None
        """The last rollout, None if there was none."""
        store.follow_records(self._apply)

    @property
    def floor(self) -> int | None:
        """The oldest revision at which nodes may be held, so that the history since must be kept;
        None without a rollout in force."""
        rollout = self.rollout
        return rollout.base if rollout is not None and rollout.in_force else None

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            if change.key.kind is Kind.ROLLOUT:
                rollout = change.after
                self.rollout = rollout if isinstance(rollout, Rollout) else None
