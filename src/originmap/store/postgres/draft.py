"""What a group of writes comes to, decided in memory while the database holds the rows still.

The writes of a group see each other: each decides about what the ones before it left. Only the
net effect on each address is written, and every change.
"""

from collections.abc import Callable, Sequence
from typing import Any

from originmap.domain.history.change import Cause
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping as Stored
from originmap.domain.mapping.mapping import MappingChange
from originmap.store.postgres import history as postgres_history
from originmap.store.postgres.array import of_bytes, of_numbers, of_texts
from originmap.store.postgres.history import text_of
from originmap.store.postgres.known_places import Counter, Known

WRITE = """
    WITH counter AS (
        UPDATE state SET revision = $4, last_at = $5
        WHERE one AND epoch = $1 AND revision = $2 AND last_at = $3 RETURNING one),
    made AS MATERIALIZED (
        SELECT m.*, revision <> ALL($17::bigint[]) AS is_last FROM counter, unnest(
            $8::text::text[], $9::text::bigint[], $10::text::bigint[], $11::text::text[],
            $12::text::text[], $13::text::text[], $14::text::bytea[], $15::text::text[],
            $16::text::text[])
        AS m (zone_id, revision, at, credential, client, request, address, old_place, new_place)),
    counted AS (
        UPDATE zone SET mappings = d.mappings
        FROM counter, unnest($6::text[], $7::int[]) AS d (id, mappings) WHERE zone.id = d.id),
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
the counter is no longer what it was when the draft began. Its time is compared too: where a
fail-over lost commits, others get their revisions. Whoever writes has the counter, so the order of
the other parts does not matter."""


_ARRAYS: Sequence[Callable[[Any], str]] = (
    of_texts, of_numbers, of_numbers, of_texts, of_texts, of_texts, of_bytes, of_texts, of_texts,
)  # fmt: skip
"""How each column of a row is sent."""

Mark = tuple[int, int, str]
"""Revision, time and request of the first change of a transaction: no other change has all
three."""


class Draft:
    """What is to be written, from `known` on, which has it all as soon as it is drafted. Where it
    is not written after all, `known` must be forgotten.

    `counter` is that of the last change so far, `first` the one that all this is based on.
    """

    def __init__(self, known: Known) -> None:
        self.first = self.counter = known.counter
        self._known = known
        self._rows: list[tuple[Any, ...]] = []
        self._zones: dict[str, None] = {}
        self._last: dict[tuple[str, Address], int] = {}  # the last revision of each address
        self._overtaken: list[int] = []  # revisions of changes before that of their address

    def write(self, zone_id: str, changes: Sequence[MappingChange], at: int, cause: Cause) -> None:
        """Make the changes of one cause."""
        revision = self.counter.revision
        for change in changes:
            revision += 1
            self.take(zone_id, change, revision, at, cause)
        self.reach(revision, at)

    def take(
        self, zone_id: str, change: MappingChange, revision: int, at: int, cause: Cause
    ) -> None:
        """Have a mapping as a change leaves it."""
        address, before, after = change
        if (earlier := self._last.get((zone_id, address))) is not None:
            self._overtaken.append(earlier)
        self._last[zone_id, address] = revision
        self._zones[zone_id] = None
        who, places = postgres_history.who(cause), (text_of(before), text_of(after))
        self._rows.append((zone_id, revision, at, *who, address, *places))
        count = self._known.count(zone_id) + (after is not None) - (before is not None)
        stored = None if after is None else Stored(address, after, at, revision)
        self._known.put(zone_id, address, stored, count)

    def reach(self, revision: int, at: int) -> None:
        """Have the counter stand there."""
        self._known.counter = self.counter = Counter(self.first.epoch, revision, at)

    @property
    def mark(self) -> Mark | None:
        """That of the first change, None where nothing changes."""
        if not self._rows:
            return None
        _, revision, at, _, _, request, *_ = self._rows[0]
        return revision, at, request

    def arguments(self) -> list[object]:
        """The arguments of WRITE."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(_ARRAYS)
        arrays = [array(column) for array, column in zip(_ARRAYS, columns, strict=True)]
        zones = list(self._zones)
        counts = [self._known.count(zone_id) for zone_id in zones]
        return [*self.first, *self.counter[1:], zones, counts, *arrays, self._overtaken]
