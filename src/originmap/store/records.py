"""The records of a store in memory.

There are few records and every request needs some, so each store keeps all of them decoded, applies
committed changes, and calls listeners. They are stored as JSON.
"""

from collections.abc import Mapping, Sequence

import msgspec

from originmap.domain.access.token import Token
from originmap.domain.errors import Stale, StoreFailed
from originmap.domain.history.record import TYPES, Key, Kind, RecordChange, Value
from originmap.domain.zone.zone import User, Zone
from originmap.store.port import RecordListener

_DECODERS = {kind: msgspec.json.Decoder(type_) for kind, type_ in TYPES.items()}
_ENCODER = msgspec.json.Encoder()


def encode(value: Value | None) -> bytes | None:
    """Return the stored form of a record, None for None."""
    return None if value is None else _ENCODER.encode(value)


def decode(kind: Kind, body: bytes | None) -> Value | None:
    """Decode a record that `encode` encoded."""
    return None if body is None else _DECODERS[kind].decode(body)


def replacing(old: Mapping[Key, Value], new: Mapping[Key, Value]) -> list[RecordChange]:
    """Return the changes that turn some records into others. Deletions come first, because two
    records may have exchanged their names."""
    deletions = [
        RecordChange(key, value, None) for key, value in old.items() if new.get(key) != value
    ]
    return deletions + [
        RecordChange(key, None, value) for key, value in new.items() if old.get(key) != value
    ]


def unique_name(value: Value) -> str:
    """Return the name that must be unique among records of its kind."""
    if isinstance(value, User):
        return value.email
    if isinstance(value, Token):
        return value.secret_hash
    if isinstance(value, Zone):
        return value.name
    return value.id


class Records:
    """All records, by key."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._listeners: list[RecordListener] = []

    @property
    def view(self) -> Mapping[Key, Value]:
        """The records as decide functions get them."""
        return self._values

    def follow(self, listener: RecordListener) -> None:
        listener([RecordChange(key, None, value) for key, value in self._values.items()])
        self._listeners.append(listener)

    def apply(self, changes: Sequence[RecordChange]) -> None:
        """Apply committed changes and call every listener."""
        for change in changes:
            if change.after is None:
                self._values.pop(change.key, None)
            else:
                self._values[change.key] = change.after
        for listener in self._listeners:
            listener(changes)


def check_seen(seen: int | None, revision: int) -> None:
    """Raises Stale if the database, at `revision`, is past `seen`, the revision that the caller
    expects."""
    if seen is not None and revision > seen:
        raise Stale(f"revision {revision} is newer than {seen}, the expected revision")


def check_names(view: Mapping[Key, Value], changes: Sequence[RecordChange]) -> None:
    """Raises StoreFailed if `changes` would give two records of one kind the same name.

    Rules reject that with an error of their own; this check catches a faulty rule, the same on
    every store.
    """
    names = {(key.kind, unique_name(value)): key for key, value in view.items()}
    for change in changes:
        if change.after is None:
            continue
        taken = names.get((change.key.kind, unique_name(change.after)), change.key)
        if taken != change.key:
            raise StoreFailed(f"records {taken.id} and {change.key.id} would have the same name")
