"""Making plans: what there shall be against what is live, zone by zone."""

from collections.abc import Callable
from dataclasses import replace

from originmap.client.mappings import RemoteMappings
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import (
    Plan,
    State,
    ZonePlan,
    plan_of,
    plan_zone,
    remaining,
    replanned,
    shown,
)
from originmap.mapfile.errors import Problem, WrongFile
from originmap.planning.desired import Desired, DesiredZone
from originmap.planning.errors import Outdated

OnZone = Callable[[str], None]
"""Told the name of each zone before it is read."""


def make_plan(remote: RemoteMappings, desired: Desired, on_zone: OnZone) -> Plan:
    """A plan from what is live now. Raises ClientError: a zone that cannot be read as a whole
    has no plan, and neither have the others. Raises WrongFile where a file names a mapping that
    is somebody else's by what is live."""
    plans: list[ZonePlan] = []
    problems: list[Problem] = []
    for zone in desired.zones:
        on_zone(zone.name)
        live = remote.mappings(zone.id)
        made = plan_zone(zone.id, zone.name, zone.mappings, live, zone.selection)
        plans.append(made)
        problems += (_conflict(zone, address, live[address]) for address in made.conflicts)
    if problems:
        raise WrongFile(problems)
    return plan_of(plans)


def renew(remote: RemoteMappings, saved: Plan, begun: bool, on_zone: OnZone) -> tuple[Plan, Plan]:
    """A saved plan again, if what is live is what it was made of; where it was `begun`, but for
    what it changed itself. And what of it is left to do. Raises Outdated, ClientError."""
    live = {}
    for zone in saved.zones:
        on_zone(zone.name)
        live[zone.id] = remote.mappings(zone.id)
    left = plan_of(_left(zone, live[zone.id]) for zone in saved.zones)
    # Where everything is done, it was this plan that did it, or one like it.
    begun = begun or left.empty
    again = [replanned(zone, live[zone.id], begun=begun) for zone in saved.zones]
    renewed = plan_of(again)
    if renewed.digest != saved.digest:
        pairs = zip(saved.zones, again, strict=True)
        raise Outdated([old.name for old, new in pairs if _digest(old) != _digest(new)])
    return renewed, left


def _conflict(zone: DesiredZone, address: Address, live: Place) -> Problem:
    at = zone.entry.origins.get(address) or zone.entry
    text = (
        f"{addresses.text(address)} is in the file, and a rule ignores what is live, {shown(live)}"
    )
    return Problem(at.where, text)


def _left(zone: ZonePlan, live: State) -> ZonePlan:
    return replace(zone, total=len(live), changes=remaining(zone.changes, live))


def _digest(zone: ZonePlan) -> str:
    return plan_of([zone]).digest
