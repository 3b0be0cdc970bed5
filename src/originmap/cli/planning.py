"""From the arguments of plan, apply and drift to a plan."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from originmap import data
from originmap.cli import address_arguments, options
from originmap.cli.api_options import api, only, path, remote
from originmap.cli.output.progress_bar import ProgressBar
from originmap.cli.output.upper_tiers import tiers_of_file, tiers_of_server
from originmap.client.errors import NoPools
from originmap.client.mappings import RemoteMappings
from originmap.domain.mapping.catalogue import Catalogue
from originmap.domain.mapping.own_regions import merged
from originmap.domain.plan.cold_moves import ColdMove, Pooled, cold_moves
from originmap.domain.plan.plan import Plan, PoolsPlan
from originmap.domain.plan.selection import Pattern
from originmap.mapfile import reader
from originmap.mapfile.document import Document
from originmap.mapfile.errors import WrongFile
from originmap.planning.desired import Detect, Lookup, Wishes
from originmap.planning.plan_json import Planned
from originmap.planning.planner import make_plan

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is asked for: the options that plan, apply and drift have in common."""

    path: Path
    api: str
    only: tuple[Pattern, ...]
    no_delete: bool
    ranges: str
    any_region: bool


def question(command: F) -> F:
    """PATH, --api, --only, --no-delete, --ranges, --any-region"""
    for option in reversed((path, api, only, _no_delete, options.ranges, _any_region)):
        command = option(command)
    return command


def topology(command: F) -> F:
    """--topology"""
    return click.option(
        "--topology",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Topology file, to show which upper tiers change. Default: that of the server, if it "
        "is an Originmap server.",
    )(command)


def planned(asked_for: PlanRequest, topology: Path | None) -> Planned:
    """The plan of a file of mappings, with the upper tiers that it moves. Raises
    OriginmapError."""
    with remote(asked_for.api) as mappings:
        made = make(mappings, asked_for)
        return msgspec.structs.replace(made, cold_moves=moving(made.plan, mappings, topology))


def make(mappings: RemoteMappings, asked_for: PlanRequest) -> Planned:
    """The plan of a file of mappings. Raises OriginmapError."""
    document = _document(mappings, asked_for)
    lookup = Lookup(mappings, address_arguments.resolve, lambda: _detect(mappings, asked_for))
    desired = lookup.desired(document, Wishes(asked_for.only, not asked_for.no_delete))
    with Reading(len(desired.zones)) as reading:
        plan = make_plan(mappings, desired, reading.on_zone)
    return Planned(asked_for.api, plan, desired.pins)


def use_own_regions(mappings: RemoteMappings, plan: Plan) -> None:
    """Have the own regions of a plan written to the server that has them."""
    changes = (change for zone in plan.zones for change in zone.changes)
    packaged = data.catalogue()
    if any(change.after and not packaged.knows(*change.after) for change in changes):
        mappings.own_regions()


def moving(plan: Plan, mappings: RemoteMappings, file: Path | None) -> list[ColdMove] | None:
    """The upper tiers that move; None if the tiers are unknown."""
    if plan.empty:
        return []
    tiers = (
        tiers_of_file(file, mappings.own_regions())
        if file
        else tiers_of_server(mappings.connection)
    )
    return None if tiers is None else cold_moves(plan, tiers, _pooled(plan, mappings))


def _pooled(plan: Plan, mappings: RemoteMappings) -> dict[str, Pooled]:
    """The zones of a plan with pools, whose live mappings are read again for them."""
    found = {}
    with contextlib.suppress(NoPools):
        for zone in plan.zones:
            if not zone.size:
                continue
            pools = zone.pools or PoolsPlan(*[mappings.pools(zone.id)] * 2)
            if any(pools):
                found[zone.id] = Pooled(pools, mappings.mappings(zone.id))
    return found


class Reading(ProgressBar):
    """The progress of reading zones, if there are several."""

    def __init__(self, zones: int) -> None:
        super().__init__("reading zones", zones, wanted=zones > 1)
        self._begun = False

    def on_zone(self, name: str) -> None:
        """The next zone is being read."""
        self.step(int(self._begun))
        self._begun = True


def print_same_name(name: str) -> None:
    """Print that the zones of a name are called by their IDs."""
    click.echo(f"more than one zone is called {name}: the output has their IDs", err=True)


def _document(mappings: RemoteMappings, asked_for: PlanRequest) -> Document:
    """The file of mappings. Only if it has unknown regions, the server is asked for its own."""
    if asked_for.any_region:
        return reader.read(asked_for.path, None)
    try:
        return reader.read(asked_for.path, data.catalogue())
    except WrongFile:
        if not mappings.own_regions().regions:
            raise
        return reader.read(asked_for.path, _known(mappings))


def _known(mappings: RemoteMappings) -> Catalogue:
    return merged(data.catalogue(), mappings.own_regions())


def _detect(mappings: RemoteMappings, asked_for: PlanRequest) -> Detect:
    # All services come with it, which a plan without `auto` need not wait for.
    from originmap.cli.ranges_detector import ranges_detector

    catalogue = _known(mappings)
    return ranges_detector(asked_for.ranges, lambda: catalogue).detect


def _no_delete(command: F) -> F:
    return click.option(
        "--no-delete", is_flag=True, help="Keep mappings that are not in the file."
    )(command)


def _any_region(command: F) -> F:
    return click.option(
        "--any-region", is_flag=True, help="Accept regions that are not in the catalogue."
    )(command)
