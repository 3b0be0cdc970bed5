"""Creates plans: compares the desired with the live mappings, zone by zone."""

from collections.abc import Callable
from dataclasses import replace

from originmap.client.mappings import RemoteMappings
from originmap.domain.errors import InvalidPools
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import (
    Plan,
    PoolsPlan,
    State,
    ZonePlan,
    plan_of,
    plan_zone,
    remaining,
    replanned,
    shown,
)
from originmap.domain.zone.pool import Pool, checked_pools
from originmap.mapfile.errors import Problem, WrongFile
from originmap.planning.desired import Desired, DesiredZone
from originmap.planning.errors import Outdated

OnZone = Callable[[str], None]
"""Called with the name of each zone before it is read."""


def make_plan(remote: RemoteMappings, desired: Desired, on_zone: OnZone) -> Plan:
    """Create a plan from the live mappings. Raises ClientError if any zone cannot be read
    completely; there is no partial plan. Raises WrongFile if the file has a mapping that, live,
    an ignore rule matches."""
    plans: list[ZonePlan] = []
    problems: list[Problem] = []
    for zone in desired.zones:
        on_zone(zone.name)
        live = remote.mappings(zone.id)
        plan = plan_zone(zone.id, zone.name, zone.mappings, live, zone.selection)
        if zone.pools is not None:
            plan = replace(plan, pools=_pools(zone, zone.pools, remote.pools(zone.id)))
        plans.append(plan)
        problems += (_conflict(zone, address, live[address]) for address in plan.conflicts)
    if problems:
        raise WrongFile(problems)
    return plan_of(plans)


def renew(remote: RemoteMappings, saved: Plan, begun: bool, on_zone: OnZone) -> tuple[Plan, Plan]:
    """Check a saved plan against the live mappings; if it was `begun`, its own changes do not
    count as differences. Returns the plan and the part that is left to apply. Raises Outdated,
    ClientError."""
    live, pools = {}, {}
    for zone in saved.zones:
        on_zone(zone.name)
        live[zone.id] = remote.mappings(zone.id)
        if zone.pools is not None:
            pools[zone.id] = remote.pools(zone.id)
    left = plan_of(_left(zone, live[zone.id], pools.get(zone.id)) for zone in saved.zones)
    # If nothing is left, this plan or an equal one was applied.
    begun = begun or left.empty
    again = [
        _repooled(replanned(zone, live[zone.id], begun=begun), pools.get(zone.id), begun)
        for zone in saved.zones
    ]
    renewed = plan_of(again)
    if renewed.digest != saved.digest:
        pairs = zip(saved.zones, again, strict=True)
        raise Outdated([old.name for old, new in pairs if _digest(old) != _digest(new)])
    return renewed, left


def _conflict(zone: DesiredZone, address: Address, live: Place) -> Problem:
    at = zone.entry.origins.get(address) or zone.entry
    ip = addresses.text(address)
    text = f"{ip} is in the file, but an ignore rule matches its live region, {shown(live)}"
    return Problem(at.where, text)


def _pools(zone: DesiredZone, after: tuple[Pool, ...], before: tuple[Pool, ...]) -> PoolsPlan:
    """The plan of a zone's pools; without deletions, other live pools stay."""
    if not zone.selection.delete:
        names = {pool.name for pool in after}
        after = (*after, *(pool for pool in before if pool.name not in names))
    try:
        return PoolsPlan(before, checked_pools(after))
    except InvalidPools as error:
        raise WrongFile([Problem(zone.entry.where, text) for text in error.problems]) from error


def _left(zone: ZonePlan, live: State, pools: tuple[Pool, ...] | None) -> ZonePlan:
    left = zone.pools and PoolsPlan(pools or (), zone.pools.after)
    return replace(zone, total=len(live), changes=remaining(zone.changes, live), pools=left)


def _repooled(zone: ZonePlan, live: tuple[Pool, ...] | None, begun: bool) -> ZonePlan:
    """A plan with the live pools as those before; if it was `begun`, the new ones count as not
    applied."""
    if zone.pools is None or live is None or (begun and live == zone.pools.after):
        return zone
    return replace(zone, pools=PoolsPlan(live, zone.pools.after))


def _digest(zone: ZonePlan) -> str:
    return plan_of([zone]).digest
