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
from originmap.store.postgres_history import Row

WRITE = f"""
    WITH counter AS (
        UPDATE state SET revision = $1, last_at = $2 WHERE one),
    counted AS (
        UPDATE zone SET mappings = d.mappings FROM unnest($3::text[], $4::int[]) AS d (id, mappings)
        WHERE zone.id = d.id),
    gone AS (
        DELETE FROM mapping USING unnest($5::text[], $6::bytea[]) AS d (zone_id, address)
        WHERE mapping.zone_id = d.zone_id AND mapping.address = d.address),
    kept AS (
        INSERT INTO mapping (zone_id, address, vendor, region, modified_on, revision)
        SELECT * FROM unnest($7::text[], $8::bytea[], $9::text[], $10::text[], $11::bigint[],
                             $12::bigint[])
        ON CONFLICT (zone_id, address) DO UPDATE SET
            vendor = excluded.vendor, region = excluded.region,
            modified_on = excluded.modified_on, revision = excluded.revision)
    INSERT INTO change ({", ".join(postgres_history.COLUMNS)})
    SELECT * FROM unnest(
        $13::text[], $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::text[],
        $19::bytea[], $20::text[], $21::text[], $22::text[], $23::text[],
        $24::text[], $25::text[], $26::bytea[], $27::bytea[])"""  # noqa: S608 (names of our own)
"""One statement and so one round trip for everything that a group writes. The rows it touches are
locked already, so the order of its parts does not matter."""


class Draft:
    """Mappings of some zones as they are, and as they are to be.

    `counts` has the zones there are with their numbers of mappings; `stored` what is known of
    their mappings. `revision` and `at` are those of the last change so far.
    """

    def __init__(self, counts: Mapping[str, int], revision: int, at: int) -> None:
        self.counts = dict(counts)
        self.revision = revision
        self.at = at
        self.rows: list[Row] = []
        self._current: dict[tuple[str, Address], Stored] = {}
        self._touched: dict[tuple[str, Address], None] = {}

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
        head = (at, *postgres_history.who(cause))
        self.at = at
        for change in changes:
            self.revision += 1
            self.rows.append(
                (zone_id, self.revision, *head, change.address, *(change.before or _NONE),
                 *(change.after or _NONE), None, None, None, None)
            )  # fmt: skip
            self.take(zone_id, change, at, self.revision)

    def take(self, zone_id: str, change: MappingChange, at: int, revision: int) -> None:
        """Have a mapping as a change leaves it."""
        key = (zone_id, change.address)
        self._touched[key] = None
        grows = (change.after is not None) - (change.before is not None)
        self.counts[zone_id] = self.counts.get(zone_id, 0) + grows
        if change.after is None:
            self._current.pop(key, None)
        else:
            self._current[key] = Stored(change.address, change.after, at, revision)

    def arguments(self) -> list[object]:
        """The arguments of WRITE."""
        gone = [key for key in self._touched if key not in self._current]
        kept = [
            (zone_id, *self._current[zone_id, address])
            for zone_id, address in self._touched
            if (zone_id, address) in self._current
        ]
        zones, addresses, places, times, revisions = _columns(kept, 5)
        vendors, regions = _columns(places, 2)
        return [
            self.revision,
            self.at,
            list(self.counts),
            list(self.counts.values()),
            *_columns(gone, 2),
            *(zones, addresses, vendors, regions, times, revisions),
            *_columns(self.rows, len(postgres_history.COLUMNS)),
        ]


_NONE = (None, None)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows as columns, also when there are none."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
