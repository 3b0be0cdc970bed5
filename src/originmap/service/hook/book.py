"""The hooks of a database in memory, with their positions and dead letters, and totals of this
process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.hook.errors import HookNotFound
from originmap.domain.hook.hook import DeadLetters, Hook, HookPosition
from originmap.domain.hook.rules import letters_of
from originmap.store.port import Store

_KINDS = (Kind.HOOK, Kind.HOOK_POSITION, Kind.DEAD_LETTERS)


@dataclass(slots=True)
class HookTally:
    """Totals since the start of this process, and the revision that each hook that it delivers has
    reached."""

    delivered: int = 0
    failed: int = 0
    reached: dict[str, int] = field(default_factory=dict)


class HookBook:
    """Follows the records of hooks."""

    def __init__(self, store: Store) -> None:
        self._records: dict[Key, Value] = {}
        self.tally = HookTally()
        store.follow_records(self._apply)

    def all(self) -> list[Hook]:
        """Return every hook, by name."""
        hooks = [value for value in self._records.values() if isinstance(value, Hook)]
        return sorted(hooks, key=lambda hook: hook.name)

    def hook(self, name: str) -> Hook:
        """Return the hook of this name. Raises HookNotFound."""
        found = self._records.get(Key(Kind.HOOK, name))
        if not isinstance(found, Hook):
            raise HookNotFound(name)
        return found

    def position(self, hook: Hook) -> HookPosition:
        """Return the stored position of a hook; of a new one, where it begins."""
        found = self._records.get(Key(Kind.HOOK_POSITION, hook.name))
        return found if isinstance(found, HookPosition) else HookPosition(hook.name, hook.since)

    def letters(self, name: str) -> DeadLetters:
        """Return the dead letters of a hook."""
        return letters_of(self._records, name)

    @property
    def dead(self) -> int:
        """The number of dead letters of all hooks."""
        values = self._records.values()
        return sum(len(value.letters) for value in values if isinstance(value, DeadLetters))

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            if change.key.kind not in _KINDS:
                continue
            if change.after is None:
                self._records.pop(change.key, None)
            else:
                self._records[change.key] = change.after
