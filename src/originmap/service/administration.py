"""Carries an operator's commands out, whichever way they were given."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from originmap.service.chunks import Chunks
from originmap.service.operate.changes import ListChanges
from originmap.service.operate.copies import ListFollowers, Promote
from originmap.service.operate.exports import ExportFamily, ExportNames, ExportZones, OperateExports
from originmap.service.operate.history import Diff, ListHistory, RollbackZone
from originmap.service.operate.origins import ListMappings, ResolveOrigins
from originmap.service.operate.parts import Subject
from originmap.service.operate.rollouts import ShowRollout, TakeStep
from originmap.service.operate.tokens import CreateToken, ListTokens, RevokeToken
from originmap.service.operate.topology import SetStates, SetTopology, ShowTopology, WhatIf
from originmap.service.operate.zones import CreateZone, ListZones

Command = (
    CreateZone
    | ListZones
    | CreateToken
    | ListTokens
    | RevokeToken
    | ListChanges
    | ShowTopology
    | SetTopology
    | SetStates
    | WhatIf
    | ResolveOrigins
    | ListMappings
    | ListHistory
    | Diff
    | RollbackZone
    | ShowRollout
    | TakeStep
    | ListFollowers
    | Promote
    | ExportFamily
    | ExportNames
)
"""The commands that are answered with rows; each has one handler among the subjects."""

Streamed = ExportZones
"""The commands that are answered with bytes, too many for one reply."""


class Administration:
    """Finds what carries a command out."""

    def __init__(self, subjects: Iterable[Subject], exports: OperateExports) -> None:
        self._exports = exports
        self._handlers: dict[type, Callable[[Any], Awaitable[list[Any]]]] = {}
        for subject in (*subjects, exports):
            self._handlers.update(subject.handlers)

    async def run(self, command: Command) -> list[Any]:
        """Do what `command` says; its answer is a list of values that msgspec can encode.

        Raises OriginmapError.
        """
        return await self._handlers[type(command)](command)

    async def stream(self, command: Streamed) -> Chunks:
        """As `run`, with an answer in chunks."""
        return await self._exports.begin(command)
