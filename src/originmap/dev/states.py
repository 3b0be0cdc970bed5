"""Saves, loads and resets the state of the server."""

from collections.abc import Sequence

from originmap.dev.clock import ControlledClock
from originmap.dev.state_json import parts_of, read_state, write_state
from originmap.domain.errors import InvalidQuery
from originmap.domain.history.snapshot import Part, SnapshotStart
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.service.access.directory import Directory
from originmap.store.port import Store


class States:
    """The state of a store, and the one that a reset returns to."""

    def __init__(self, store: Store, directory: Directory, clock: ControlledClock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._initial: Sequence[Part] = ()

    async def start(self, body: bytes | None) -> None:
        """Take the initial state: the one in `body`, or else the present one. Raises
        InvalidQuery."""
        if body is not None:
            await self.load(body)
        self._initial = [part async for part in self._store.snapshot()]

    async def save(self) -> bytes:
        """The present state."""
        return await write_state(self._store.snapshot())

    async def load(self, body: bytes) -> None:
        """Replace everything by a state. Raises InvalidQuery; nothing has changed then."""
        await self._become(read_state(body, self._clock.now()))

    async def reset(self) -> None:
        """Return to the initial state."""
        await self._become(self._initial)

    async def rewind(self, moment: int) -> None:
        """Let the next change happen at `moment`, although there are later ones."""
        parts = [part async for part in self._store.snapshot()]
        start = parts[0]
        assert isinstance(start, SnapshotStart)
        if start.at >= moment:
            await self._become([start._replace(at=moment - 1), *parts[1:]])

    async def mappings(self, zone_id: str) -> dict[str, tuple[str, str]]:
        """The vendor and region of each address of a zone. Raises InvalidQuery."""
        if self._directory.zone(zone_id) is None:
            raise InvalidQuery(f"no zone {zone_id}")
        page = await self._store.page(zone_id, 0, MAX_MAPPINGS)
        return {addresses.text(m.address): (m.place.vendor, m.place.region) for m in page.mappings}

    async def _become(self, parts: Sequence[Part]) -> None:
        # A loaded store is a replica, with the epoch of the snapshot; a promoted one has its own.
        await self._store.load(parts_of(parts))
        await self._store.promote()
