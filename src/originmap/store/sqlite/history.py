"""Reads of a SQLite database's records and history."""

import contextlib
import sys
from typing import Any

import apsw

from originmap.domain.history.change import Cause, Change
from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange
from originmap.store import records
from originmap.store.sqlite.file import rows
from originmap.store.sqlite.integer_keys import IntegerKeys

# One statement for both kinds of changes, so that a commit between two cannot leave a change out.
# ?3 is a zone and ?4 an address in it, for queries limited to them. The bodies of records may have
# megabytes: they are read only for changes among the first ?2 of both kinds.
_CHANGES = """
    SELECT revision, scope, name,
        iif(typeof(name) = 'blob', before,
            (SELECT r.before FROM record_change AS r WHERE r.revision = c.revision)),
        iif(typeof(name) = 'blob', after,
            (SELECT r.after FROM record_change AS r WHERE r.revision = c.revision))
    FROM (
        SELECT * FROM (
            SELECT revision, zone AS scope, address AS name, before, after FROM mapping_change
            WHERE revision {bound} ?1 {of_zone}
            ORDER BY revision {order} LIMIT ?2)
        UNION ALL SELECT * FROM (
            SELECT revision, kind, id, NULL, NULL FROM record_change
            WHERE revision {bound} ?1 {of_record} ORDER BY revision {order} LIMIT ?2)
        ORDER BY revision {order} LIMIT ?2) AS c
    ORDER BY revision {order}"""
_OF_ZONE = "AND zone = (SELECT num FROM zone WHERE id = ?3)"
_OF_RECORD = "AND kind = 'zone' AND id = ?3"
_OF_ADDRESS = _OF_ZONE + " AND address = ?4"
_SCOPES = {"all": ("", ""), "zone": (_OF_ZONE, _OF_RECORD), "address": (_OF_ADDRESS, "AND false")}
_SINCE = {
    name: _CHANGES.format(bound=">", order="ASC", of_zone=zone, of_record=record)
    for name, (zone, record) in _SCOPES.items()
}
_BEFORE = {
    name: _CHANGES.format(bound="<", order="DESC", of_zone=zone, of_record=record)
    for name, (zone, record) in _SCOPES.items()
}
_CAUSES = """
    SELECT revision, at, credential, client, request FROM cause
    WHERE revision BETWEEN (SELECT max(revision) FROM cause WHERE revision <= ?1) AND ?2
    ORDER BY revision"""

_LARGE = 1 << 20
"""Bytes of record bodies after which a read ends, with fewer changes than the limit."""

_Row = tuple[int, Any, Any, Any, Any]
"""A change of a mapping: revision, zone, address and regions, with integers for zone and regions;
or of a record: revision, kind, ID and bodies."""


def epoch(connection: apsw.Connection) -> str:
    """Return the epoch of the database."""
    return str(connection.execute("SELECT value FROM meta WHERE key = 'epoch'").get)


def oldest(connection: apsw.Connection) -> int:
    """Return the revision after which the history is complete."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'oldest'").get)


def is_replica(connection: apsw.Connection) -> bool:
    """Report whether the database is a copy of another one."""
    return bool(connection.execute("SELECT value = '1' FROM meta WHERE key = 'replica'").get)


def last_revision(connection: apsw.Connection) -> int:
    """Return the revision of the last change, 0 if there is none."""
    sql = """SELECT max(coalesce((SELECT max(revision) FROM mapping_change), 0),
                        coalesce((SELECT max(revision) FROM record_change), 0),
                        (SELECT cast(value AS INTEGER) FROM meta WHERE key = 'oldest'))"""
    return int(connection.execute(sql).get)


def last_time(connection: apsw.Connection) -> int:
    """Return the time of the last change, in microseconds since 1970 UTC; 0 if there is none."""
    at = last_cause_time(connection)
    if at is None:
        at = int(connection.execute("SELECT value FROM meta WHERE key = 'loaded_at'").get)
    return at


def last_cause_time(connection: apsw.Connection) -> int | None:
    """Return the time of the last cause in the history, None if there is none."""
    at: int | None = connection.execute("SELECT at FROM cause ORDER BY revision DESC LIMIT 1").get
    return at


def time_of(connection: apsw.Connection, revision: int) -> int:
    """Return the time of a change that is in the history."""
    sql = "SELECT at FROM cause WHERE revision <= ? ORDER BY revision DESC LIMIT 1"
    return int(connection.execute(sql, (revision,)).get)


def all_records(connection: apsw.Connection) -> list[RecordChange]:
    """Return every record as a change that creates it."""
    changes = []
    for kind, id_, body in connection.execute("SELECT kind, id, body FROM record"):
        key = Key(Kind(kind), id_)
        changes.append(RecordChange(key, None, records.decode(key.kind, body)))
    return changes


def changes_since(
    connection: apsw.Connection,
    names: IntegerKeys,
    since: int,
    limit: int,
    zone_id: str | None = None,
) -> list[Change]:
    return _changes(connection, names, _rows(connection, _SINCE, since, limit, zone_id))


def changes_before(
    connection: apsw.Connection,
    names: IntegerKeys,
    before: int,
    limit: int,
    zone_id: str | None = None,
    address: Address | None = None,
) -> list[Change]:
    newest_first = _rows(connection, _BEFORE, before, limit, zone_id, address)
    return _changes(connection, names, newest_first[::-1])[::-1]


def _rows(
    connection: apsw.Connection,
    statements: dict[str, str],
    revision: int,
    limit: int,
    zone_id: str | None,
    address: Address | None = None,
) -> list[_Row]:
    if zone_id is None:
        return _bounded(connection, statements["all"], (revision, limit))
    if address is None:
        return _bounded(connection, statements["zone"], (revision, limit, zone_id))
    return _bounded(connection, statements["address"], (revision, limit, zone_id, address))


def _bounded(connection: apsw.Connection, sql: str, bindings: tuple[Any, ...]) -> list[_Row]:
    bounded, size = list[_Row](), 0
    # Close the cursor: a statement that is not read to its end would keep its snapshot open.
    with contextlib.closing(connection.execute(sql, bindings)) as cursor:
        for row in cursor:
            bounded.append(row)
            if isinstance(row[2], str):
                size += len(row[3] or b"") + len(row[4] or b"")
                if size >= _LARGE:
                    break
    return bounded


def last_record_change(connection: apsw.Connection, names: IntegerKeys, key: Key) -> Change | None:
    """Return the last change of one record."""
    sql = "SELECT max(revision) FROM record_change WHERE kind = ? AND id = ?"
    revision = rows(connection, sql, (key.kind.value, key.id))[0][0]
    if revision is None:
        return None
    return changes_since(connection, names, revision - 1, 1)[0]


def _changes(
    connection: apsw.Connection, names: IntegerKeys, change_rows: list[_Row]
) -> list[Change]:
    """Convert rows, in the order of revisions, to changes with their causes."""
    if not change_rows:
        return []
    causes = rows(connection, _CAUSES, (change_rows[0][0], change_rows[-1][0]))
    changes, index, following = [], -1, 0
    for row in change_rows:
        revision, scope, name, before, after = row
        while revision >= following:
            index += 1
            _, at, *values = causes[index]
            cause = Cause(*values)
            following = causes[index + 1][0] if index + 1 < len(causes) else sys.maxsize
        if isinstance(name, bytes):
            what = MappingChange(
                Address(name),
                None if before is None else names.places[before],
                None if after is None else names.places[after],
            )
            changes.append(Change(revision, at, cause, names.zone_id(scope), what))
        else:
            changes.append(_record_change(row, at, cause))
    return changes


def _record_change(row: _Row, at: int, cause: Cause) -> Change:
    revision, kind, id_, *bodies = row
    key = Key(Kind(kind), id_)
    before, after = (records.decode(key.kind, body) for body in bodies)
    zone_id = id_ if key.kind is Kind.ZONE else ""
    return Change(revision, at, cause, zone_id, RecordChange(key, before, after))
