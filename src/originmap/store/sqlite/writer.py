"""Writes to a SQLite database, inside a transaction of the caller.

Owns the statements that change data and those that rules need, and counts revisions: each written
change gets the next one.
"""

from collections.abc import Iterable, Sequence

import apsw

from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place, ZoneView
from originmap.store import records
from originmap.store.sqlite.bulk_insert import BulkInsert
from originmap.store.sqlite.file import rows
from originmap.store.sqlite.integer_keys import IntegerKeys

_VIEW_ONE = """
    SELECT place, modified_on, revision, (SELECT mappings FROM zone WHERE num = ?1)
    FROM mapping WHERE zone = ?1 AND address = ?2"""
_VIEW = """
    SELECT address, place, modified_on, revision FROM mapping
    WHERE zone = ?1 AND address IN carray(?2)"""
_COUNT = "SELECT mappings FROM zone WHERE num = ?"
_UPSERT = BulkInsert(
    "mapping",
    "zone, address, place, modified_on, revision",
    """ON CONFLICT (zone, address) DO UPDATE SET
       place = excluded.place, modified_on = excluded.modified_on, revision = excluded.revision""",
)
_DELETE = "DELETE FROM mapping WHERE zone = ? AND address = ?"
_CHANGE = BulkInsert("mapping_change", "revision, zone, address, before, after")
_CAUSE = BulkInsert("cause", "revision, at, credential, client, request")
_ADD_COUNT = "UPDATE zone SET mappings = mappings + ? WHERE num = ?"
_RECORD = """
    INSERT INTO record (kind, id, name, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, body = excluded.body"""
_RECORD_CHANGE = "INSERT INTO record_change (revision, kind, id, before, after) VALUES (?,?,?,?,?)"
_REPLACED = """
    INSERT INTO record_change (revision, kind, id, before, after)
    VALUES (?1, ?2, ?3, (SELECT body FROM record WHERE kind = ?2 AND id = ?3), ?4)"""
_CHANGE_ALL = """
    INSERT INTO mapping_change (revision, zone, address, before, after)
    SELECT ?2 + row_number() OVER (ORDER BY address), zone, address, place, NULL
    FROM mapping WHERE zone = ?1"""

_Key = tuple[int, Address]
_Row = tuple[int, Address, int, int, int]
"""A row of mappings: zone, address, region, time and revision."""
_CauseRow = tuple[int, int, str, str, str]
"""The revision of the first change of a cause, its time, and the actor."""
_HistoryRow = tuple[int, int, Address, int | None, int | None]
"""A row of the history: zone, revision, address, region before and after."""


class RowWriter:
    """Writes rows on the writing connection."""

    def __init__(self, connection: apsw.Connection, names: IntegerKeys, revision: int) -> None:
        self.connection = connection
        self.names = names
        self.revision = revision
        # Reused, because creating a cursor takes as long as a statement.
        self.cursor = connection.cursor()
        self._causes: list[_CauseRow] = []
        self._history: list[_HistoryRow] = []

    def view(self, zone: int, addresses: Sequence[Address]) -> ZoneView:
        """Return what a rule sees of a zone with these addresses."""
        make, places = tuple.__new__, self.names.places  # takes half the time of the constructor
        current: dict[Address, Mapping] = {}
        if len(addresses) == 1:
            (address,) = addresses
            for num, modified_on, revision, count in rows(self.cursor, _VIEW_ONE, (zone, address)):
                stored = make(Mapping, (address, places[num], modified_on, revision))
                return ZoneView({address: stored}, count)
        elif addresses:
            stored_rows = rows(self.cursor, _VIEW, (zone, apsw.carray(tuple(addresses))))
            current = {
                row[0]: make(Mapping, (row[0], places[row[1]], *row[2:])) for row in stored_rows
            }
        return ZoneView(current, rows(self.cursor, _COUNT, (zone,))[0][0])

    def cause(self, cause: Cause, at: int) -> None:
        """Write the cause of the following changes."""
        _CAUSE.one(self.cursor, (self.revision + 1, at, *cause))

    def causes(self, rows: Sequence[_CauseRow]) -> None:
        """Write many causes."""
        _CAUSE.many(self.cursor, rows)

    def write(self, zone: int, at: int, cause: Cause, changes: Iterable[MappingChange]) -> None:
        """Write the mappings of one write of a group. Rules do not read the history, so the history
        of the whole group is written by `write_history`, with many rows per statement."""
        self._causes.append((self.revision + 1, at, *cause))
        self._history += self._write_rows([(zone, at, change) for change in changes])

    def write_history(self) -> None:
        """Write the history of the group, before the commit."""
        _CAUSE.many(self.cursor, self._causes)
        _CHANGE.many(self.cursor, self._history)
        self.drop_history()

    def drop_history(self) -> None:
        """Drop the history of a group that was rolled back."""
        self._causes, self._history = [], []

    def mappings(self, changes: Iterable[tuple[int, int, MappingChange]]) -> None:
        """Write changes of mappings, in order, with their history; each has the integer of its
        zone, its time, and the change."""
        _CHANGE.many(self.cursor, self._write_rows(changes))

    def _write_rows(self, changes: Iterable[tuple[int, int, MappingChange]]) -> list[_HistoryRow]:
        """Write the mappings and return the rows of their history."""
        history: list[_HistoryRow] = []
        upserted: dict[_Key, _Row] = {}
        deleted: dict[_Key, None] = {}
        growth: dict[int, int] = {}
        num, revision = self.names.place_num, self.revision
        for zone, at, (address, before, after) in changes:
            revision += 1
            key = (zone, address)
            old = None if before is None else num(before)
            if after is None:
                new = None
                upserted.pop(key, None)
                deleted[key] = None
            else:
                new = num(after)
                upserted[key] = (zone, address, new, at, revision)
            history.append((revision, zone, address, old, new))
            if old is None or new is None:
                growth[zone] = growth.get(zone, 0) + (new is not None) - (old is not None)
        self.revision = revision
        if deleted:  # first, because some addresses were added again
            self.cursor.executemany(_DELETE, deleted)
        if upserted:
            _UPSERT.many(self.cursor, list(upserted.values()))
        for zone, more in growth.items():
            if more:
                self.cursor.execute(_ADD_COUNT, (more, zone))
        return history

    def record(self, change: RecordChange) -> None:
        """Create, replace or delete a record; deleting a zone deletes its mappings."""
        kind, id_ = change.key
        if change.after is None:
            if kind is Kind.ZONE:
                self._empty_zone(self.names.zone(id_))
                self.names.drop_zone(id_)
            self._replace_record(change, None)
            self.cursor.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind.value, id_))
        else:
            body = records.encode(change.after)
            self._replace_record(change, body)
            self.cursor.execute(_RECORD, (kind.value, id_, records.unique_name(change.after), body))
            if kind is Kind.ZONE and change.before is None:
                self.names.keep_zone(id_)

    def _replace_record(self, change: RecordChange, body: bytes | None) -> None:
        """Write the history of a record before the record is replaced: its former value comes from
        the table."""
        self.revision += 1
        self.cursor.execute(_REPLACED, (self.revision, change.key.kind.value, change.key.id, body))

    def put_record(self, key: Key, value: Value) -> None:
        """Write a record without history."""
        name = records.unique_name(value)
        self.cursor.execute(_RECORD, (key.kind.value, key.id, name, records.encode(value)))

    def record_history(self, revision: int, change: RecordChange) -> None:
        """Write the history of a record without the record."""
        bodies = records.encode(change.before), records.encode(change.after)
        self.cursor.execute(
            _RECORD_CHANGE, (revision, change.key.kind.value, change.key.id, *bodies)
        )

    def mapping_history(self, revision: int, zone: int, change: MappingChange) -> None:
        """Write the history of a mapping without the mapping."""
        places = self._place_num(change.before), self._place_num(change.after)
        _CHANGE.one(self.cursor, (revision, zone, change.address, *places))

    def probe(self) -> None:
        """Make the next commit write a page without changing data. SQLite does not write a page
        with unchanged values, so a row is added and deleted."""
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
