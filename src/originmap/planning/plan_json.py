"""The JSON of a plan: for programs, and the format of a saved plan.

A saved plan is checked against its digest, so that an edited plan cannot be applied.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from originmap.domain.encoding import NotText, decode
from originmap.domain.errors import InvalidAddress, InvalidPools
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place
from originmap.domain.plan.cold_moves import ColdMove
from originmap.domain.plan.plan import Plan, PoolsPlan, ZonePlan, plan_of
from originmap.domain.plan.selection import InvalidPattern, Selection, pattern
from originmap.domain.zone.pool import Pool, checked_pools
from originmap.mapfile.reader import is_saved_plan
from originmap.planning.errors import UnusablePlan

FORMAT = "originmap-plan/1"


class PlaceJSON(msgspec.Struct, frozen=True):
    """A vendor and a region."""

    vendor: str
    region: str


class PlannedChangeJSON(msgspec.Struct, frozen=True):
    """The change of a mapping; `old` is null for a new mapping, `new` for a deleted one."""

    origin_ip: str
    old: PlaceJSON | None
    new: PlaceJSON | None


class KeptJSON(msgspec.Struct, frozen=True):
    """A mapping that is not in the file and not deleted."""

    origin_ip: str
    vendor: str
    region: str


class SelectionJSON(msgspec.Struct, frozen=True):
    """The patterns of a zone's rules."""

    only: list[str]
    ignore: list[str]
    adopt: list[str]
    delete: bool


class PoolJSON(msgspec.Struct, frozen=True):
    """A pool."""

    name: str
    members: list[str]


class PoolsJSON(msgspec.Struct, frozen=True):
    """All pools of a zone, live and desired."""

    old: list[PoolJSON]
    new: list[PoolJSON]


class ZoneJSON(msgspec.Struct, frozen=True, omit_defaults=True):
    """The plan of one zone; without `pools` if the file leaves them alone."""

    id: str
    name: str
    total: int
    existing: int
    live: str
    selection: SelectionJSON
    creates: list[PlannedChangeJSON]
    changes: list[PlannedChangeJSON]
    deletes: list[PlannedChangeJSON]
    adopted: list[KeptJSON]
    withheld: list[KeptJSON]
    pools: PoolsJSON | None = None


class ColdMoveJSON(msgspec.Struct, frozen=True):
    """The number of origins that move to another upper tier; null means any colo."""

    zone: str
    old: str | None
    new: str | None
    origins: int


class PlanJSON(msgspec.Struct, frozen=True):
    """A plan. `writes` is the number of write requests; `upper_tiers` is null if unknown."""

    format: str
    digest: str
    api: str
    writes: int
    pins: dict[str, list[str]]
    upper_tiers: list[ColdMoveJSON] | None
    zones: list[ZoneJSON]


class _FormatJSON(msgspec.Struct):
    """The member that plans of all versions have."""

    format: str = ""


class Planned(msgspec.Struct, frozen=True):
    """A plan with its API, the resolved hostnames, and its cold-cache moves if known."""

    api: str
    plan: Plan
    pins: Mapping[str, tuple[Address, ...]]
    cold_moves: list[ColdMove] | None = None


def _document(planned: Planned) -> PlanJSON:
    """A plan as JSON, without its zones."""
    cold_moves = planned.cold_moves
    return PlanJSON(
        FORMAT,
        planned.plan.digest,
        planned.api,
        sum(zone.writes for zone in planned.plan.zones),
        {host: [addresses.text(a) for a in pinned] for host, pinned in planned.pins.items()},
        None if cold_moves is None else [ColdMoveJSON(*move) for move in cold_moves],
        [],
    )


def encode(planned: Planned) -> Iterator[bytes]:
    """Encode a plan one zone at a time, because a large plan as a whole takes much memory."""
    head = _formatted(_document(planned))
    yield head.removesuffix(b"[]\n}")
    before = b"[\n    "
    for zone in planned.plan.zones:
        yield before + _formatted(_zone_json(zone)).replace(b"\n", b"\n    ")
        before = b",\n    "
    yield b"\n  ]\n}\n" if planned.plan.zones else b"[]\n}\n"


def _formatted(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def is_saved(path: Path) -> bool:
    """Whether a file looks like a saved plan rather than a mappings file."""
    try:
        with path.open("rb") as file:
            head = file.read(1600).replace(b"\0", b"")  # UTF-16 or UTF-32
            return is_saved_plan(head.decode(errors="ignore"))
    except OSError:
        return False


def load(path: Path) -> Planned:
    """Load a saved plan. Raises UnusablePlan, also if the file was edited, or saved by another
    version."""
    saved = _saved(path)
    try:
        plan = plan_of(_zone(zone) for zone in saved.zones)
        pins = {h: tuple(map(addresses.parse, texts)) for h, texts in saved.pins.items()}
    except (InvalidAddress, InvalidPattern, InvalidPools) as error:
        raise UnusablePlan(str(path), f"not a saved plan: {error}") from error
    if plan.digest != saved.digest:
        raise UnusablePlan(str(path), "the plan was edited: its digest does not match")
    cold_moves = None
    if saved.upper_tiers is not None:
        cold_moves = [ColdMove(w.zone, w.old, w.new, w.origins) for w in saved.upper_tiers]
    return Planned(saved.api, plan, pins, cold_moves)


def _saved(path: Path) -> PlanJSON:
    """Decode a file. Raises UnusablePlan."""
    try:
        text = decode(path.read_bytes())
        found = msgspec.json.decode(text, type=_FormatJSON).format
        if found == FORMAT:
            return msgspec.json.decode(text, type=PlanJSON)
    except OSError as error:
        raise UnusablePlan(str(path), error.strerror or str(error), hint="") from error
    except NotText as error:
        raise UnusablePlan(str(path), str(error)) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnusablePlan(str(path), f"not a saved plan: {error}") from error
    if not is_saved_plan(text):
        raise UnusablePlan(str(path), "not a saved plan")
    why = f"a plan of another version of Originmap: its format is {found!r}, not {FORMAT!r}"
    raise UnusablePlan(str(path), why)


def _zone_json(zone: ZonePlan) -> ZoneJSON:
    chosen = zone.selection
    return ZoneJSON(
        zone.id,
        zone.name,
        zone.total,
        zone.existing,
        zone.live,
        SelectionJSON(
            [each.text for each in chosen.only],
            [each.text for each in chosen.ignore],
            [each.text for each in chosen.adopt],
            chosen.delete,
        ),
        [_change_json(change) for change in zone.creates],
        [_change_json(change) for change in zone.updates],
        [_change_json(change) for change in zone.deletes],
        [KeptJSON(addresses.text(a), *place) for a, place in zone.adopted],
        [KeptJSON(addresses.text(a), *place) for a, place in zone.withheld],
        zone.pools and PoolsJSON(*(_pools_json(pools) for pools in zone.pools)),
    )


def _pools_json(pools: tuple[Pool, ...]) -> list[PoolJSON]:
    return [PoolJSON(pool.name, [*pool.members]) for pool in pools]


def _pools_plan(pools: PoolsJSON | None) -> PoolsPlan | None:
    return None if pools is None else PoolsPlan(_pools(pools.old), _pools(pools.new))


def _pools(pools: list[PoolJSON]) -> tuple[Pool, ...]:
    return checked_pools(Pool(pool.name, tuple(pool.members)) for pool in pools)


def _change_json(change: MappingChange) -> PlannedChangeJSON:
    old, new = (place and PlaceJSON(*place) for place in (change.before, change.after))
    return PlannedChangeJSON(addresses.text(change.address), old, new)


def _zone(zone: ZoneJSON) -> ZonePlan:
    chosen = zone.selection
    changes = (*zone.creates, *zone.changes, *zone.deletes)
    return ZonePlan(
        zone.id,
        zone.name,
        zone.total,
        zone.existing,
        zone.live,
        tuple(sorted(_change(change) for change in changes)),
        Selection(
            tuple(map(pattern, chosen.only)),
            tuple(map(pattern, chosen.ignore)),
            tuple(map(pattern, chosen.adopt)),
            chosen.delete,
        ),
        tuple(_kept(each) for each in zone.adopted),
        tuple(_kept(each) for each in zone.withheld),
        pools=_pools_plan(zone.pools),
    )


def _change(change: PlannedChangeJSON) -> MappingChange:
    return MappingChange(addresses.parse(change.origin_ip), _place(change.old), _place(change.new))


def _place(place: PlaceJSON | None) -> Place | None:
    return None if place is None else Place(place.vendor, place.region)


def _kept(kept: KeptJSON) -> tuple[Address, Place]:
    return addresses.parse(kept.origin_ip), Place(kept.vendor, kept.region)
