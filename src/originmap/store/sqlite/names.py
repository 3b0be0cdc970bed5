"""Integers for zone ids and places in a SQLite database, held in memory.

A zone's integer outlives the zone in the table `zone`, because the history refers to it; `zone`
answers only while the zone exists.
"""

import apsw

from originmap.domain.mapping.mapping import Place
from originmap.store.sqlite.file import rows

_LIVE = "SELECT num FROM zone JOIN record ON kind = 'zone' AND record.id = zone.id"


class Names:
    """Both ways between names and integers; `places` are by their integers."""

    def __init__(self, writer: apsw.Connection) -> None:
        self._writer = writer
        self.reload()

    def reload(self) -> None:
        """Read everything again, after a transaction was rolled back."""
        self._ids: dict[int, str] = dict(rows(self._writer, "SELECT num, id FROM zone"))
        self._zones = {self._ids[num]: num for (num,) in rows(self._writer, _LIVE)}
        self._going: dict[str, None] = {}
        places = rows(self._writer, "SELECT num, vendor, region FROM place")
        self.places = {num: Place(vendor, region) for num, vendor, region in places}
        self._nums = {place: num for num, place in self.places.items()}

    def zone(self, zone_id: str) -> int | None:
        """The integer of a zone, None when there is no such zone."""
        return self._zones.get(zone_id)

    def zone_id(self, num: int) -> str:
        """The zone, there or gone, that an integer stands for."""
        return self._ids[num]

    def zone_ever(self, zone_id: str) -> int:
        """The integer of a zone that is or was, made when it has none, inside a transaction."""
        run = self._writer.execute
        run("INSERT INTO zone (id) VALUES (?) ON CONFLICT DO NOTHING", (zone_id,))
        num = int(run("SELECT num FROM zone WHERE id = ?", (zone_id,)).get)
        self._ids[num] = zone_id
        return num

    def replace_zones(self) -> None:
        """Every zone goes, but for those that `keep_zone` is told of."""
        self._going = dict.fromkeys(self._zones)

    def keep_zone(self, zone_id: str) -> int:
        """A zone that comes or stays, under the integer that it has or had; that integer. Inside a
        transaction."""
        num = self._zones[zone_id] = self.zone_ever(zone_id)
        self._going.pop(zone_id, None)
        return num

    def drop_zone(self, zone_id: str) -> None:
        """Forget a zone that goes, as soon as that is durable: until then it is read."""
        self._going[zone_id] = None

    def committed(self) -> None:
        """The transaction is durable."""
        for zone_id in self._going:
            self._zones.pop(zone_id, None)
        self._going.clear()

    def place(self, num: int) -> Place:
        """The place that an integer stands for."""
        return self.places[num]

    def place_num(self, place: Place) -> int:
        """The integer of a place, made when it has none, inside a transaction."""
        num = self._nums.get(place)
        if num is None:
            self._writer.execute("INSERT INTO place (vendor, region) VALUES (?, ?)", place)
            num = self._writer.last_insert_rowid()
            self._nums[place], self.places[num] = num, place
        return num
