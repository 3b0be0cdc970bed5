"""Reading a SQLite database's records and history."""

from heapq import merge

import apsw

from originmap.domain.address import Address
from originmap.domain.change import Cause, Change
from originmap.domain.mapping import MappingChange, Place
from originmap.domain.record import Key, Kind, RecordChange
from originmap.store import records
from originmap.store.sqlite_file import rows
from originmap.store.sqlite_names import Names

_MAPPINGS = """
    SELECT revision, zone, address, before, after FROM mapping_change
    WHERE revision > ? ORDER BY revision LIMIT ?"""
_RECORDS = """
    SELECT revision, kind, id, before, after FROM record_change
    WHERE revision > ? ORDER BY revision LIMIT ?"""
_CAUSES = """
    SELECT revision, at, credential, client, request FROM cause
    WHERE revision BETWEEN (SELECT max(revision) FROM cause WHERE revision <= ?1) AND ?2
    ORDER BY revision"""


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
    with connection:  # one snapshot for all four statements
        mapping_rows = rows(connection, _MAPPINGS, (since, limit))
        record_rows = rows(connection, _RECORDS, (since, limit))
        found = list(merge(mapping_rows, record_rows))[:limit]
        if not found:
            return []
        causes = rows(connection, _CAUSES, (found[0][0], found[-1][0]))
        zone_ids = names.zone_ids(connection)
    changes, index = [], 0
    for row in found:
        while index + 1 < len(causes) and causes[index + 1][0] <= row[0]:
            index += 1
        changes.append(_change(row, causes[index], names, zone_ids))
    return changes


def _change(
    row: tuple[int, int | str, bytes | str, int | bytes | None, int | bytes | None],
    cause_row: tuple[int, int, str, str, str],
    names: Names,
    zone_ids: dict[int, str],
) -> Change:
    revision, scope, name, before, after = row
    _, at, *who = cause_row
    cause = Cause(*who)
    if isinstance(scope, int):
        assert isinstance(name, bytes)
        what = MappingChange(Address(name), _place(names, before), _place(names, after))
        return Change(revision, at, cause, zone_ids[scope], what)
    key = Key(Kind(scope), str(name))
    old, new = (records.decode(key.kind, b if isinstance(b, bytes) else None) for b in row[3:])
    zone_id = key.id if key.kind is Kind.ZONE else ""
    return Change(revision, at, cause, zone_id, RecordChange(key, old, new))


def _place(names: Names, num: int | bytes | None) -> Place | None:
    return names.place(num) if isinstance(num, int) else None
