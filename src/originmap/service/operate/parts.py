"""What all subjects share: who the operator is, and how a subject is made."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from originmap.domain.change import Cause
from originmap.domain.errors import ZoneNotFound
from originmap.domain.zone import Zone
from originmap.service.directory import Directory

OPERATOR = Cause("cli", "", "")
"""Whoever can open the database or its admin socket."""

Handlers = Mapping[type, Callable[[Any], Awaitable[list[Any]]]]
"""For each command, what carries it out; the answer is a list of values, empty where there is
nothing to say."""


class Subject(Protocol):
    """A group of commands."""

    @property
    def handlers(self) -> Handlers:
        """Which command is carried out by what."""


def zone_called(directory: Directory, id_or_name: str) -> Zone:
    """A zone by its id or name. Raises ZoneNotFound."""
    zone = directory.zone(id_or_name) or directory.zone_named(id_or_name)
    if zone is None:
        raise ZoneNotFound(id_or_name)
    return zone
