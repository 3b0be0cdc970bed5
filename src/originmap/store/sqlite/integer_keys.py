"""Integers for zone IDs and regions in a SQLite database, cached in memory.

The integer of a deleted zone stays in table `zone`, because the history refers to it; the method
`zone` returns only existing zones.
"""

import apsw

from originmap.domain.mapping.mapping import Place
from originmap.store.sqlite.file import rows

_LIVE = "SELECT num FROM zone JOIN record ON kind = 'zone' AND record.id = zone.id"


class IntegerKeys:
    """Maps names to integers and back; `places` is by integer."""

    def __init__(self, writer: apsw.Connection) -> None:
        self._writer = writer
        self.reload()

    def reload(self) -> None:
        """Read everything again, after a rollback."""
        self._ids: dict[int, str] = dict(rows(self._writer, "SELECT num, id FROM zone"))
        self._zones = {self._ids[num]: num for (num,) in rows(self._writer, _LIVE)}
        self._marked: dict[str, None] = {}
        places = rows(self._writer, "SELECT num, vendor, region FROM place")
        self.places = {num: Place(vendor, region) for num, vendor, region in places}
        self._nums = {place: num for num, place in self.places.items()}

    def zone(self, zone_id: str) -> int | None:
        """Return the integer of a zone, None if the zone does not exist."""
        return self._zones.get(zone_id)

    def zone_id(self, num: int) -> str:
        """Return the ID of an existing or deleted zone by its integer."""
        return self._ids[num]

    def zone_ever(self, zone_id: str) -> int:
        """Return the integer of an existing or deleted zone; create one if needed, inside a
        transaction."""
        run = self._writer.execute
        run("INSERT INTO zone (id) VALUES (?) ON CONFLICT DO NOTHING", (zone_id,))
        num = int(run("SELECT num FROM zone WHERE id = ?", (zone_id,)).get)
        self._ids[num] = zone_id
        return num

    def replace_zones(self) -> None:
        """Mark all zones for deletion, except those passed to `keep_zone` afterwards."""
        self._marked = dict.fromkeys(self._zones)

    def keep_zone(self, zone_id: str) -> int:
        """Add or keep a zone, inside a transaction, and return its integer, which is the former one
        if it had one."""
        num = self._zones[zone_id] = self.zone_ever(zone_id)
        self._marked.pop(zone_id, None)
        return num

    def drop_zone(self, zone_id: str) -> None:
        """Mark a zone for deletion. Until the transaction is durable, the zone can still be
        read."""
        self._marked[zone_id] = None

    def committed(self) -> None:
        """Drop the marked zones, as the transaction is durable."""
        for zone_id in self._marked:
            self._zones.pop(zone_id, None)
        self._marked.clear()

    def place_num(self, place: Place) -> int:
        """Return the integer of a region; create one if needed, inside a transaction."""
        num = self._nums.get(place)
        if num is None:
            self._writer.execute("INSERT INTO place (vendor, region) VALUES (?, ?)", place)
            num = self._writer.last_insert_rowid()
            self._nums[place], self.places[num] = num, place
        return num
