"""Writes rows of a SQLite database, inside a transaction that its caller began.

Owns the statements that change anything, and counts revisions: each change that is written gets
the next one.
"""

from collections.abc import Sequence

import apsw

from originmap.domain.change import Cause
from originmap.domain.mapping import MappingChange, Place
from originmap.domain.record import Key, Kind, RecordChange, Value
from originmap.store import records
from originmap.store.sqlite_names import Names

_UPSERT = """
    INSERT INTO mapping (zone, address, place, modified_on, revision) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (zone, address) DO UPDATE SET
        place = excluded.place, modified_on = excluded.modified_on, revision = excluded.revision"""
_DELETE = "DELETE FROM mapping WHERE zone = ? AND address = ?"
_CHANGE = "INSERT INTO mapping_change (revision, zone, address, before, after) VALUES (?,?,?,?,?)"
_CAUSE = "INSERT INTO cause (revision, at, credential, client, request) VALUES (?, ?, ?, ?, ?)"
_ADD_COUNT = "UPDATE zone SET mappings = mappings + ? WHERE num = ?"
_RECORD = """
    INSERT INTO record (kind, id, name, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, body = excluded.body"""
_RECORD_CHANGE = "INSERT INTO record_change (revision, kind, id, before, after) VALUES (?,?,?,?,?)"
_CHANGE_ALL = """
    INSERT INTO mapping_change (revision, zone, address, before, after)
    SELECT ?2 + row_number() OVER (ORDER BY address), zone, address, place, NULL
    FROM mapping WHERE zone = ?1"""


class Writer:
    """The one that writes."""

    def __init__(self, connection: apsw.Connection, names: Names, revision: int) -> None:
        self.connection = connection
        self.names = names
        self.revision = revision
        # Kept, because making one takes as long as the statement that it is for.
        self.cursor = connection.cursor()

    def cause(self, cause: Cause, at: int) -> None:
        """The cause of the changes from the next one on."""
        who = (cause.credential, cause.client, cause.request_id)
        self.cursor.execute(_CAUSE, (self.revision + 1, at, *who))

    def mappings(self, zone: int, changes: Sequence[MappingChange], at: int) -> None:
        """Changes of a zone's mappings, each address once."""
        upserts, deletes, history, growth = [], [], [], 0
        for address, before, after in changes:
            self.revision += 1
            growth += (after is not None) - (before is not None)
            old, new = self._place_num(before), self._place_num(after)
            if new is None:
                deletes.append((zone, address))
            else:
                upserts.append((zone, address, new, at, self.revision))
            history.append((self.revision, zone, address, old, new))
        run = self.cursor.executemany
        if upserts:
            run(_UPSERT, upserts)
        if deletes:
            run(_DELETE, deletes)
        run(_CHANGE, history)
        if growth:
            self.cursor.execute(_ADD_COUNT, (growth, zone))

    def record(self, change: RecordChange) -> None:
        """A record made, replaced or removed; a zone that goes takes its mappings with it."""
        kind, id_ = change.key
        if change.after is None:
            if kind is Kind.ZONE:
                self._empty_zone(self.names.zone(id_))
                self.names.drop_zone(id_)
            self.cursor.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind.value, id_))
        else:
            self.put_record(change.key, change.after)
            if kind is Kind.ZONE and change.before is None:
                self.names.add_zone(id_)
        self.revision += 1
        self.record_history(self.revision, change)

    def put_record(self, key: Key, value: Value) -> None:
        """A record, without history."""
        name = records.unique_name(value)
        self.cursor.execute(_RECORD, (key.kind.value, key.id, name, records.encode(value)))

    def record_history(self, revision: int, change: RecordChange) -> None:
        """What a record was and became, without the record."""
        bodies = records.encode(change.before), records.encode(change.after)
        self.cursor.execute(
            _RECORD_CHANGE, (revision, change.key.kind.value, change.key.id, *bodies)
        )

    def mapping_history(self, revision: int, zone: int, change: MappingChange) -> None:
        """What a mapping was and became, without the mapping."""
        places = self._place_num(change.before), self._place_num(change.after)
        self.cursor.execute(_CHANGE, (revision, zone, change.address, *places))

    def probe(self) -> None:
        """Have the commit write a page in which nothing changes. SQLite leaves a page alone that
        is given the values it has, so something comes and goes."""
        self.cursor.execute("INSERT INTO meta (key, value) VALUES ('probe', '')")
        self.cursor.execute("DELETE FROM meta WHERE key = 'probe'")

    def _place_num(self, place: Place | None) -> int | None:
        return None if place is None else self.names.place_num(place)

    def _empty_zone(self, zone: int | None) -> None:
        """Delete a zone's mappings, each with its change record."""
        self.cursor.execute(_CHANGE_ALL, (zone, self.revision))
        self.cursor.execute("DELETE FROM mapping WHERE zone = ?", (zone,))
        self.revision += self.connection.changes()
        self.cursor.execute("UPDATE zone SET mappings = 0 WHERE num = ?", (zone,))
