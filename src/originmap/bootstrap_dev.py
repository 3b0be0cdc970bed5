"""Builds the development server: a server that tests control."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from functools import partial

from originmap.api.application import Application
from originmap.api.guard import Guard
from originmap.api.http.router import Route
from originmap.api.traffic import Traffic
from originmap.bootstrap import Opened
from originmap.bootstrap_application import build_app, pages_of
from originmap.bootstrap_server import Blueprint
from originmap.conformance.facts import FACTS
from originmap.dev.application import DevApplication
from originmap.dev.basis import BasisFinder
from originmap.dev.clock import ControlledClock
from originmap.dev.control import ControlRoutes
from originmap.dev.faults import Faults
from originmap.dev.instruments import Instruments
from originmap.dev.journal import RequestJournal
from originmap.dev.operations import all_operations
from originmap.dev.states import States
from originmap.dev.strictness import Strictness
from originmap.service import initial_data
from originmap.service.access.brake import Brake
from originmap.service.access.directory import Directory
from originmap.settings import Settings
from originmap.store.clock import Clocks, Now
from originmap.store.port import Store


class DevServer:
    """The parts of a development server that outlive a request."""

    def __init__(
        self,
        state: bytes | None = None,
        *,
        strict: bool = False,
        fidelity: bool = True,
        journal: bool = True,
    ) -> None:
        """`state` is the initial state, if it is not that of a new database."""
        self._clock = ControlledClock()
        self._state = state
        self._strict = strict
        self._journal = journal
        self._finder = BasisFinder(FACTS) if fidelity else None
        self._states: States | None = None

    @property
    def blueprint(self) -> Blueprint:
        """How to build the server."""
        return Blueprint(self.prepare, self._clock.clocks, self.build)

    async def prepare(self, store: Store, directory: Directory, now: Now, database: str) -> None:
        """Create the well-known data, or load the initial state. Raises StoreUnusable for a
        production database, and InvalidQuery for a wrong state."""
        await initial_data.prepare_dev(store, directory, now, database)
        self._states = States(store, directory, self._clock)
        await self._states.start(self._state)

    def build(
        self,
        opened: Opened,
        ready: Callable[[], bool],
        settings: Settings,
        traffic: Traffic | None,
        clocks: Clocks,
    ) -> Application:
        """Build the application."""
        finish = partial(self._finish, opened, settings, clocks)
        return build_app(opened, ready, settings, traffic, clocks, finish)

    def _finish(
        self,
        opened: Opened,
        settings: Settings,
        clocks: Clocks,
        routes: Sequence[Route],
        guard: Guard,
        brake: Brake,
    ) -> Application:
        assert self._states is not None
        operations = all_operations()
        strictness = Strictness(opened.detector, on=self._strict)
        faults, journal = Faults(operations), RequestJournal(keeps=self._journal)
        instruments = Instruments(self._clock, faults, journal, strictness)
        control = ControlRoutes(guard, self._states, instruments, _stop)
        table = [*routes, *control.routes()]
        # What the page asks is not what a test does: no faults, no journal.
        pages = pages_of(table, guard, brake, settings, clocks, initial_data.DEV_TOKEN)
        return DevApplication(table, brake, operations, instruments, self._finder, pages)


def _stop() -> None:
    """Stop as on SIGTERM, after the response of the current request."""
    asyncio.get_running_loop().call_later(0.05, signal.raise_signal, signal.SIGTERM)
