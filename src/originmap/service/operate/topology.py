"""The operator's topology, and what would move if it changed."""

import msgspec

from originmap.domain.topology import ColoState, Topology
from originmap.domain.whatif import Move
from originmap.service.directory import Directory
from originmap.service.operate.parts import OPERATOR, Handlers
from originmap.service.resolve import Resolve
from originmap.service.topology import Topologies


class ShowTopology(msgspec.Struct, frozen=True, tag=True):
    """The topology in force."""


class SetTopology(msgspec.Struct, frozen=True, tag=True):
    """Replace the topology."""

    topology: Topology


class SetStates(msgspec.Struct, frozen=True, tag=True):
    """Give some colos, by code, other states."""

    states: dict[str, ColoState]


class WhatIf(msgspec.Struct, frozen=True, tag=True):
    """What would move, in all zones, if some colos had other states."""

    states: dict[str, ColoState]


class OperateTopology:
    """As `parts.Subject`."""

    def __init__(self, topologies: Topologies, resolve: Resolve, directory: Directory) -> None:
        self._topologies = topologies
        self._resolve = resolve
        self._directory = directory

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {
            ShowTopology: self._show,
            SetTopology: self._set,
            SetStates: self._set_states,
            WhatIf: self._what_if,
        }

    async def _show(self, command: ShowTopology) -> list[Topology]:
        return [self._topologies.current]

    async def _set(self, command: SetTopology) -> list[Topology]:
        return [await self._topologies.set(command.topology, OPERATOR)]

    async def _set_states(self, command: SetStates) -> list[Topology]:
        return [await self._topologies.set_states(command.states, OPERATOR)]

    async def _what_if(self, command: WhatIf) -> list[Move]:
        zone_ids = [zone.id for zone in self._directory.zones()]
        return await self._resolve.moves_of_states(command.states, zone_ids)
