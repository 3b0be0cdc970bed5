"""Writes rows of a SQLite database, inside a transaction that its caller began.

Owns the statements that change anything and those that rules need, and counts revisions: each
change that is written gets the next one.
"""

from collections.abc import Iterable, Sequence

import apsw

from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, Value
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping, MappingChange, Place, ZoneView
from originmap.store import records
from originmap.store.sqlite.file import rows
from originmap.store.sqlite.insert import Insert
from originmap.store.sqlite.names import Names

_VIEW_ONE = """
    SELECT place, modified_on, revision, (SELECT mappings FROM zone WHERE num = ?1)
    FROM mapping WHERE zone = ?1 AND address = ?2"""
_VIEW = """
    SELECT address, place, modified_on, revision FROM mapping
    WHERE zone = ?1 AND address IN carray(?2)"""
_COUNT = "SELECT mappings FROM zone WHERE num = ?"
_UPSERT = Insert(
    "mapping",
    "zone, address, place, modified_on, revision",
    """ON CONFLICT (zone, address) DO UPDATE SET
       place = excluded.place, modified_on = excluded.modified_on, revision = excluded.revision""",
)
_DELETE = "DELETE FROM mapping WHERE zone = ? AND address = ?"
_CHANGE = Insert("mapping_change", "revision, zone, address, before, after")
_CAUSE = Insert("cause", "revision, at, credential, client, request")
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
"""Of the table of mappings: zone, address, place, time and revision."""
_CauseRow = tuple[int, int, str, str, str]
"""The revision of its first change, when that was, and who."""
_HistoryRow = tuple[int, int, Address, int | None, int | None]
"""Of the history: revision, zone, address, place before and after."""


class RowWriter:
    """The one that writes."""

    def __init__(self, connection: apsw.Connection, names: Names, revision: int) -> None:
        self.connection = connection
        self.names = names
        self.revision = revision
        # Kept, because making one takes as long as the statement that it is for.
        self.cursor = connection.cursor()
        self._causes: list[_CauseRow] = []
        self._history: list[_HistoryRow] = []

    def view(self, zone: int, addresses: Sequence[Address]) -> ZoneView:
        """What a rule sees of a zone that is asked about these addresses."""
        make, place = tuple.__new__, self.names.place  # takes half the time of the class
        current: dict[Address, Mapping] = {}
        if len(addresses) == 1:
            (address,) = addresses
            for num, modified_on, revision, count in rows(self.cursor, _VIEW_ONE, (zone, address)):
                stored = make(Mapping, (address, place(num), modified_on, revision))
                return ZoneView({address: stored}, count)
        elif addresses:
            found = rows(self.cursor, _VIEW, (zone, apsw.carray(tuple(addresses))))
            current = {row[0]: make(Mapping, (row[0], place(row[1]), *row[2:])) for row in found}
        return ZoneView(current, rows(self.cursor, _COUNT, (zone,))[0][0])

    def cause(self, cause: Cause, at: int) -> None:
        """The cause of the changes from the next one on."""
        _CAUSE.one(self.cursor, (self.revision + 1, at, *cause))

    def causes(self, rows: Sequence[_CauseRow]) -> None:
        """Many causes."""
        _CAUSE.many(self.cursor, rows)

    def write(self, zone: int, at: int, cause: Cause, changes: Iterable[MappingChange]) -> None:
        """What one write of a group changes. No rule reads the history, so that of the whole group
        is written by `write_history`, many rows with a statement."""
        self._causes.append((self.revision + 1, at, *cause))
        self._history += self._write_rows([(zone, at, change) for change in changes])

    def write_history(self) -> None:
        """The history of what was written, before it is committed."""
        _CAUSE.many(self.cursor, self._causes)
        _CHANGE.many(self.cursor, self._history)
        self.drop_history()

    def drop_history(self) -> None:
        """Of what was undone."""
        self._causes, self._history = [], []

    def mappings(self, changes: Iterable[tuple[int, int, MappingChange]]) -> None:
        """Changes of mappings, in order: each the integer of its zone, when, and what."""
        _CHANGE.many(self.cursor, self._write_rows(changes))

    def _write_rows(self, changes: Iterable[tuple[int, int, MappingChange]]) -> list[_HistoryRow]:
        """The mappings themselves; their history."""
        history: list[_HistoryRow] = []
        kept: dict[_Key, _Row] = {}
        gone: dict[_Key, None] = {}
        growth: dict[int, int] = {}
        num, revision = self.names.place_num, self.revision
        for zone, at, (address, before, after) in changes:
            revision += 1
            key = (zone, address)
            old = None if before is None else num(before)
            if after is None:
                new = None
                kept.pop(key, None)
                gone[key] = None
            else:
                new = num(after)
                kept[key] = (zone, address, new, at, revision)
            history.append((revision, zone, address, old, new))
            if old is None or new is None:
                growth[zone] = growth.get(zone, 0) + (new is not None) - (old is not None)
        self.revision = revision
        if gone:  # first, since some of them came again
            self.cursor.executemany(_DELETE, gone)
        if kept:
            _UPSERT.many(self.cursor, list(kept.values()))
        for zone, more in growth.items():
            if more:
                self.cursor.execute(_ADD_COUNT, (more, zone))
        return history

    def record(self, change: RecordChange) -> None:
        """A record made, replaced or removed; a zone that goes takes its mappings with it."""
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
        """The history of a record that is about to be replaced: what it was is there already."""
        self.revision += 1
        self.cursor.execute(_REPLACED, (self.revision, change.key.kind.value, change.key.id, body))

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
        _CHANGE.one(self.cursor, (revision, zone, change.address, *places))

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
