"""What a group of writes comes to, decided in memory while the database holds the rows still.

The writes of a group see each other: each decides about what the ones before it left. Only the
net effect on each address is written, and every change.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from originmap.domain.address import Address
from originmap.domain.change import Cause
from originmap.domain.mapping import Mapping as Stored
from originmap.domain.mapping import MappingChange, ZoneView
from originmap.store import postgres_history
from originmap.store.postgres_history import text_of

WRITE = """
    WITH counter AS (
        UPDATE state SET revision = $2, last_at = $3 WHERE one AND revision = $1 RETURNING one),
    made AS MATERIALIZED (
        SELECT m.* FROM counter, unnest(
            $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],
            $12::bytea[], $13::text[], $14::text[], $15::boolean[])
        AS m (zone_id, revision, at, credential, client, request, address, old_place, new_place,
              is_last)),
    counted AS (
        UPDATE zone SET mappings = d.mappings
        FROM counter, unnest($4::text[], $5::int[]) AS d (id, mappings) WHERE zone.id = d.id),
    gone AS (
        DELETE FROM mapping USING made AS m WHERE m.is_last AND m.new_place IS NULL
        AND mapping.zone_id = m.zone_id AND mapping.address = m.address),
    kept AS (
        INSERT INTO mapping (zone_id, address, place, modified_on, revision)
        SELECT zone_id, address, new_place, at, revision FROM made
        WHERE is_last AND new_place IS NOT NULL
        ON CONFLICT (zone_id, address) DO UPDATE SET
            place = excluded.place, modified_on = excluded.modified_on,
            revision = excluded.revision)
    INSERT INTO change (zone_id, revision, at, credential, client, request, address, old_place,
                        new_place)
    SELECT zone_id, revision, at, credential, client, request, address, old_place, new_place
    FROM made"""
"""One statement and so one round trip for everything that a group writes, and nothing at all where
the counter is no longer what it was when the draft began. Whoever writes has the counter, so the
order of the other parts does not matter."""


class Draft:
    """Mappings of some zones as they are, and as they are to be.

    `counts` has the zones there are with their numbers of mappings; `stored` what is known of
    their mappings. `revision` and `at` are those of the last change so far, `first` the revision
    that all this is based on.
    """

    def __init__(self, counts: Mapping[str, int], revision: int, at: int) -> None:
        self.counts = dict(counts)
        self.first = self.revision = revision
        self.at = at
        self._rows: list[tuple[Any, ...]] = []
        self._current: dict[tuple[str, Address], Stored] = {}
        self._last: dict[tuple[str, Address], int] = {}  # the last row of each address

    def know(self, zone_id: str, stored: Stored) -> None:
        """A mapping that is stored now."""
        self._current[zone_id, stored.address] = stored

    def view(self, zone_id: str, addresses: Iterable[Address]) -> ZoneView:
        """What a rule sees of a zone."""
        current = self._current
        found = {a: current[zone_id, a] for a in addresses if (zone_id, a) in current}
        return ZoneView(found, self.counts[zone_id])

    def write(self, zone_id: str, changes: Sequence[MappingChange], at: int, cause: Cause) -> None:
        """Make the changes of one cause."""
        self.at = at
        for change in changes:
            self.revision += 1
            self.take(zone_id, change, self.revision, at, cause)

    def take(
        self, zone_id: str, change: MappingChange, revision: int, at: int, cause: Cause
    ) -> None:
        """Have a mapping as a change leaves it."""
        address, before, after = change
        key = (zone_id, address)
        self._last[key] = len(self._rows)
        who, places = postgres_history.who(cause), (text_of(before), text_of(after))
        self._rows.append((zone_id, revision, at, *who, address, *places))
        self.counts[zone_id] = (
            self.counts.get(zone_id, 0) + (after is not None) - (before is not None)
        )
        if after is None:
            self._current.pop(key, None)
        else:
            self._current[key] = Stored(address, after, at, revision)

    def arguments(self) -> list[object]:
        """The arguments of WRITE."""
        is_last = [False] * len(self._rows)
        for row in self._last.values():
            is_last[row] = True
        columns = [list(column) for column in zip(*self._rows, strict=True)] or [[]] * 9
        counts = self.counts
        head = (self.first, self.revision, self.at, list(counts), list(counts.values()))
        return [*head, *columns, is_last]
