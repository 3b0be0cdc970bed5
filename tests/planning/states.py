"""Generated mappings of a zone, and an API in memory with faults."""

from hypothesis import strategies as st

from originmap.client.errors import Unreachable
from originmap.client.mappings import RemoteZone, Unapplied
from originmap.domain.mapping.mapping import MAX_MAPPINGS, Place
from originmap.domain.plan.plan import Batch, State
from tests.builders import CENTRAL, US_EAST, US_WEST, ip

PLACES: list[Place] = [US_EAST, US_WEST, CENTRAL]

addresses = st.one_of(
    st.integers(1, 60).map(lambda n: ip(f"192.0.2.{n}")),
    st.integers(1, 20).map(lambda n: ip(f"2001:db8::{n:x}")),
)
states = st.dictionaries(addresses, st.sampled_from(PLACES), max_size=40)


class MemoryAPI:
    """Zones in memory, with the methods of client.mappings.RemoteMappings.

    After `writes` writes it fails; with `halves`, after half of the last one.
    """

    def __init__(self, zones: dict[str, State], names: dict[str, str] | None = None) -> None:
        self.live = {zone: dict(state) for zone, state in zones.items()}
        self.names = names or {}
        self.writes: int | None = None
        self.halves = False

    def mappings(self, zone_id: str) -> State:
        return dict(self.live[zone_id])

    def zones_named(self, names: list[str]) -> dict[str, RemoteZone]:
        return {name: RemoteZone(self.names[name], name) for name in names}

    def write(self, batch: Batch) -> list[Unapplied]:
        changes = batch.changes
        if self.writes == 0:
            changes = changes[: len(changes) // 2] if self.halves else ()
        zone = self.live[batch.zone_id]
        for change in changes:
            if batch.delete:
                zone.pop(change.address, None)
            else:
                zone[change.address] = change.after
            assert len(zone) <= MAX_MAPPINGS
        if self.writes == 0:
            raise Unreachable("http://memory", "cut")
        if self.writes is not None:
            self.writes -= 1
        return []
