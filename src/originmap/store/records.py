"""The records of a store in memory.

There are few of them and every request asks about them, so each store keeps them all decoded,
applies committed changes, and tells listeners. Their stored form is JSON.
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
    """The stored form of a record, None for none."""
    return None if value is None else _ENCODER.encode(value)


def decode(kind: Kind, body: bytes | None) -> Value | None:
    """The record that `encode` wrote."""
    return None if body is None else _DECODERS[kind].decode(body)


def replacing(old: Mapping[Key, Value], new: Mapping[Key, Value]) -> list[RecordChange]:
    """The changes that make some records into others. What differs goes before it comes again:
    two records may have exchanged their names."""
    gone = [RecordChange(key, value, None) for key, value in old.items() if new.get(key) != value]
    return gone + [
        RecordChange(key, None, value) for key, value in new.items() if old.get(key) != value
    ]


def unique_name(value: Value) -> str:
    """What no two records of one kind may share."""
    if isinstance(value, User):
        return value.email
    if isinstance(value, Token):
        return value.secret_hash
    if isinstance(value, Zone):
        return value.name
    return value.id


class Records:
    """Every record, by key."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._listeners: list[RecordListener] = []

    @property
    def view(self) -> Mapping[Key, Value]:
        """What decide functions see."""
        return self._values

    def follow(self, listener: RecordListener) -> None:
        listener([RecordChange(key, None, value) for key, value in self._values.items()])
        self._listeners.append(listener)

    def apply(self, changes: Sequence[RecordChange]) -> None:
        """Take committed changes over and tell every listener."""
        for change in changes:
            if change.after is None:
                self._values.pop(change.key, None)
            else:
                self._values[change.key] = change.after
        for listener in self._listeners:
            listener(changes)


def check_seen(seen: int | None, revision: int) -> None:
    """Raise Stale when the database, at `revision`, has got further than what a caller saw."""
    if seen is not None and revision > seen:
        raise Stale(f"revision {revision} is newer than {seen}, which was looked at")


def check_names(view: Mapping[Key, Value], changes: Sequence[RecordChange]) -> None:
    """Raise StoreFailed when `changes` would give two records of one kind the same name.

    Rules refuse that with an error of their own; this is the guard behind them, the same on
    every store.
    """
    names = {(key.kind, unique_name(value)): key for key, value in view.items()}
    for change in changes:
        if change.after is None:
            continue
        taken = names.get((change.key.kind, unique_name(change.after)), change.key)
        if taken != change.key:
            raise StoreFailed(f"two records named alike: {taken.id} and {change.key.id}")
