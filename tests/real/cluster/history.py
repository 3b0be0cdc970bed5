"""Reads a database file directly, and checks that its tables agree with its history."""

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import apsw

_CHANGES = "SELECT revision, zone, address, before, after FROM mapping_change WHERE revision > ?"
_RECORDS = "SELECT revision FROM record_change WHERE revision > ?"
_CAUSES = "SELECT revision, at, credential, request FROM cause WHERE revision > ? ORDER BY 1"
_MAPPINGS = "SELECT zone, address, place, modified_on, revision FROM mapping"
_COUNTS = "SELECT num, mappings FROM zone WHERE mappings > 0"


class Stored(NamedTuple):
    """The state of one address after replaying the history."""

    place: int
    modified_on: int
    revision: int


class History:
    """Replays a database's history from revision 1 on; each `follow` reads the new changes.

    A test that restarts the server keeps one instance: the replayed changes must still exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: dict[tuple[int, bytes], Stored] = {}
        self._at = 0
        self.revision = 0
        self.requests: set[str] = set()
        """The id of every request that changed something."""

    def follow(self) -> None:
        """Replay the new changes, and compare the tables with the result."""
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            with connection:  # one snapshot
                self._replay(connection)
                self._compare(connection)
                assert rows(connection, "PRAGMA integrity_check") == [("ok",)]
        finally:
            connection.close()

    def _replay(self, connection: apsw.Connection) -> None:
        changes = {row[0]: row for row in rows(connection, _CHANGES, self.revision)}
        records = [row[0] for row in rows(connection, _RECORDS, self.revision)]
        causes = {row[0]: row for row in rows(connection, _CAUSES, self.revision)}
        revisions = sorted([*changes, *records])
        following = range(self.revision + 1, self.revision + 1 + len(revisions))
        assert revisions == list(following), "a revision is missing or repeated"
        assert causes.keys() <= set(revisions), "a cause without a change"
        for revision in revisions:
            if revision in causes:
                self._begin(*causes[revision])
            assert self._at, f"revision {revision} has no cause"
            if revision in changes:
                self._apply(*changes[revision])
        self.revision += len(revisions)

    def _begin(self, revision: int, at: int, credential: str, request: str) -> None:
        assert at > self._at, f"time went back at revision {revision}"
        assert credential
        self._at = at
        self.requests.add(request)

    def _apply(
        self, revision: int, zone: int, address: bytes, before: int | None, after: int | None
    ) -> None:
        stored = self._state.pop((zone, address), None)
        assert (stored.place if stored else None) == before, f"revision {revision}: {address!r}"
        assert before != after, f"revision {revision} changes nothing"
        if after is not None:
            self._state[zone, address] = Stored(after, self._at, revision)

    def _compare(self, connection: apsw.Connection) -> None:
        kept = {(row[0], row[1]): Stored(*row[2:]) for row in rows(connection, _MAPPINGS)}
        assert kept == self._state, "the mappings differ from the history"
        zones = sorted(zone for zone, _ in kept)
        counted = {zone: len(list(same)) for zone, same in itertools.groupby(zones)}
        assert dict(rows(connection, _COUNTS)) == counted, "a zone's count is wrong"


def rows(connection: apsw.Connection, sql: str, *bindings: object) -> list[Any]:
    return list(connection.execute(sql, bindings))


def checked(path: Path) -> History:
    """The whole history of a database file, after checking it."""
    history = History(path)
    history.follow()
    return history
