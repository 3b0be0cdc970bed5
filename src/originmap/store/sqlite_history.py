"""Reading a SQLite database's records and history."""

import apsw

from originmap.domain.address import Address
from originmap.domain.change import Cause, Change
from originmap.domain.mapping import MappingChange, Place
from originmap.domain.record import Key, Kind, RecordChange
from originmap.store import records
from originmap.store.sqlite_file import rows
from originmap.store.sqlite_names import Names

# One statement for both kinds, so that a commit between two cannot leave a change out.
_CHANGES = """
    SELECT * FROM (
        SELECT revision, (SELECT id FROM zone WHERE num = m.zone), address, before, after
        FROM mapping_change AS m WHERE revision {bound} ?1 ORDER BY revision {order} LIMIT ?2)
    UNION ALL SELECT * FROM (
        SELECT revision, kind, id, before, after FROM record_change
        WHERE revision {bound} ?1 ORDER BY revision {order} LIMIT ?2)
    ORDER BY revision {order} LIMIT ?2"""
_SINCE = _CHANGES.format(bound=">", order="ASC")
_BEFORE = _CHANGES.format(bound="<", order="DESC")
_CAUSES = """
    SELECT revision, at, credential, client, request FROM cause
    WHERE revision BETWEEN (SELECT max(revision) FROM cause WHERE revision <= ?1) AND ?2
    ORDER BY revision"""

_Row = tuple[int, str, bytes | str, int | bytes | None, int | bytes | None]
"""A change of a mapping: revision, zone, address and places; or of a record: revision, kind, id and
bodies."""


def epoch(connection: apsw.Connection) -> str:
    """The name that the database got when it was made."""
    return str(connection.execute("SELECT value FROM meta WHERE key = 'epoch'").get)


def last_revision(connection: apsw.Connection) -> int:
    """The revision of the last change, 0 when there is none."""
    sql = """SELECT max(coalesce((SELECT max(revision) FROM mapping_change), 0),
                        coalesce((SELECT max(revision) FROM record_change), 0))"""
    return int(connection.execute(sql).get)


def last_time(connection: apsw.Connection) -> int:
    """When the last change was made, in microseconds since 1970 UTC; 0 when there is none."""
    sql = "SELECT at FROM cause ORDER BY revision DESC LIMIT 1"
    return int(connection.execute(sql).get or 0)


def all_records(connection: apsw.Connection) -> list[RecordChange]:
    """Every record, as a change that makes it."""
    found = []
    for kind, id_, body in connection.execute("SELECT kind, id, body FROM record"):
        key = Key(Kind(kind), id_)
        found.append(RecordChange(key, None, records.decode(key.kind, body)))
    return found


def changes_since(
    connection: apsw.Connection, names: Names, since: int, limit: int
) -> list[Change]:
    """Changes after revision `since`, in order, at most `limit`."""
    return _changes(connection, names, rows(connection, _SINCE, (since, limit)))


def changes_before(
    connection: apsw.Connection, names: Names, before: int, limit: int
) -> list[Change]:
    """Changes before revision `before`, newest first, at most `limit`."""
    return _changes(connection, names, rows(connection, _BEFORE, (before, limit))[::-1])[::-1]


def last_record_change(connection: apsw.Connection, names: Names, key: Key) -> Change | None:
    """The last change of one record."""
    sql = "SELECT max(revision) FROM record_change WHERE kind = ? AND id = ?"
    revision = rows(connection, sql, (key.kind.value, key.id))[0][0]
    if revision is None:
        return None
    return changes_since(connection, names, revision - 1, 1)[0]


def _changes(connection: apsw.Connection, names: Names, found: list[_Row]) -> list[Change]:
    """Rows in the order of their revisions, as changes with their causes."""
    if not found:
        return []
    causes = rows(connection, _CAUSES, (found[0][0], found[-1][0]))
    changes, index = [], 0
    for row in found:
        while index + 1 < len(causes) and causes[index + 1][0] <= row[0]:
            index += 1
        changes.append(_change(row, causes[index], names))
    return changes


def _change(row: _Row, cause_row: tuple[int, int, str, str, str], names: Names) -> Change:
    revision, scope, name, before, after = row
    _, at, *who = cause_row
    cause = Cause(*who)
    if isinstance(name, bytes):
        what = MappingChange(Address(name), _place(names, before), _place(names, after))
        return Change(revision, at, cause, scope, what)
    key = Key(Kind(scope), name)
    old, new = (records.decode(key.kind, b if isinstance(b, bytes) else None) for b in row[3:])
    zone_id = key.id if key.kind is Kind.ZONE else ""
    return Change(revision, at, cause, zone_id, RecordChange(key, old, new))


def _place(names: Names, num: int | bytes | None) -> Place | None:
    return names.place(num) if isinstance(num, int) else None
