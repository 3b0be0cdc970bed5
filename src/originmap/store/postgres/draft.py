"""The effect of a group of writes, decided in memory.

The writes of a group see each other: each decides on the result of those before it. The database
gets every change, and only the net effect on each address.
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
from originmap.store.postgres.mapping_cache import Counter, MappingCache

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
"""One statement, and so one round trip, for everything that a group writes. It writes nothing if
the counter has changed since the draft began.

The time of the counter is compared too: after a fail-over that lost commits, other nodes may have
reused their revisions. The statement locks the counter, so the order of its other parts does not
matter.
"""


_ARRAYS: Sequence[Callable[[Any], str]] = (
    of_texts, of_numbers, of_numbers, of_texts, of_texts, of_texts, of_bytes, of_texts, of_texts,
)  # fmt: skip
"""The function that formats each column of a row."""

Mark = tuple[int, int, str]
"""Revision, time and request ID of the first change of a transaction; together they are unique."""


class Draft:
    """The changes to write, on top of a cache, which includes them as soon as they are drafted. If
    they are not written, the cache must be cleared.

    `counter` is the counter after the last change so far, `first` the one before the draft.
    """

    def __init__(self, cache: MappingCache) -> None:
        self.first = self.counter = cache.counter
        self._cache = cache
        self._rows: list[tuple[Any, ...]] = []
        self._zones: dict[str, None] = {}
        self._last: dict[tuple[str, Address], int] = {}  # the last revision of each address
        self._replaced: list[int] = []  # revisions that a later change of the address replaces

    def write(self, zone_id: str, changes: Sequence[MappingChange], at: int, cause: Cause) -> None:
        """Add the changes of one cause."""
        revision = self.counter.revision
        for change in changes:
            revision += 1
            self.add(zone_id, change, revision, at, cause)
        self.set_counter(revision, at)

    def add(
        self, zone_id: str, change: MappingChange, revision: int, at: int, cause: Cause
    ) -> None:
        """Add one change of a mapping."""
        address, before, after = change
        if (earlier := self._last.get((zone_id, address))) is not None:
            self._replaced.append(earlier)
        self._last[zone_id, address] = revision
        self._zones[zone_id] = None
        cause_values, places = (
            postgres_history.cause_columns(cause),
            (text_of(before), text_of(after)),
        )
        self._rows.append((zone_id, revision, at, *cause_values, address, *places))
        count = self._cache.count(zone_id) + (after is not None) - (before is not None)
        stored = None if after is None else Stored(address, after, at, revision)
        self._cache.put(zone_id, address, stored, count)

    def set_counter(self, revision: int, at: int) -> None:
        """Set the counter."""
        self._cache.counter = self.counter = Counter(self.first.epoch, revision, at)

    @property
    def mark(self) -> Mark | None:
        """The mark of the first change, None if there are no changes."""
        if not self._rows:
            return None
        _, revision, at, _, _, request, *_ = self._rows[0]
        return revision, at, request

    def arguments(self) -> list[object]:
        """Return the arguments of WRITE."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(_ARRAYS)
        arrays = [array(column) for array, column in zip(_ARRAYS, columns, strict=True)]
        zones = list(self._zones)
        counts = [self._cache.count(zone_id) for zone_id in zones]
        return [*self.first, *self.counter[1:], zones, counts, *arrays, self._replaced]
