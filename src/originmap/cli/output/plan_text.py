"""A plan for people: text for a terminal, Markdown for a pull request."""

from collections.abc import Iterable, Iterator

import click

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MappingChange, Place
from originmap.domain.plan.cold_moves import ColdMove
from originmap.domain.plan.guard import objections
from originmap.domain.plan.plan import ZonePlan, shown
from originmap.planning.plan_json import Planned

_ANY = "any colo"
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_MOST_ROWS = 500
"""Rows of all tables in Markdown: a comment on a pull request has 65,536 characters at most."""


def text(planned: Planned) -> Iterator[str]:
    """A plan as text, a zone at a time; with colours that `click.echo` removes if stdout is
    not a terminal."""
    hosts = _hosts(planned)
    for zone in planned.plan.zones:
        yield "".join(f"{line}\n" for line in _zone_lines(zone, hosts))
    yield "".join(f"{line}\n" for line in _cold_move_lines(planned.cold_moves))
    yield f"{_summary(planned)}\ndigest {planned.plan.digest}\n"


def echo(parts: Iterable[str]) -> None:
    """Print a text that comes in parts, with its colours on a terminal only."""
    for part in parts:
        click.echo(part, nl=False)


def warnings(planned: Planned) -> list[str]:
    """What would keep the plan from being carried out."""
    found = objections(planned.plan)
    return [f"apply will refuse this: {each.text}\n  {each.hint}" for each in found]


def markdown(planned: Planned) -> Iterator[str]:
    """A plan as Markdown."""
    lines = [f"**{_summary(planned)}**", ""]
    hosts = _hosts(planned)
    left = _MOST_ROWS
    for zone in planned.plan.zones:
        if not zone.size:
            continue
        lines.append(f"`{zone.name}`: {zone.size:,} changes\n")
        lines += [f"- pool `{name}`" for name, _, _ in zone.pool_changes]
        if shown_here := zone.changes[:left]:
            lines += ["| | origin | now | then |", "|---|---|---|---|"]
            lines += [_row(change, hosts) for change in shown_here]
            if len(zone.changes) > left:
                lines.append(f"| | and {len(zone.changes) - left:,} more | | |")
            lines.append("")
        left -= len(shown_here)
    if planned.cold_moves:
        lines += [
            "Upper tiers that move:",
            "",
            "| zone | from | to | origins |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| `{move.zone}` | {move.before or _ANY} | {move.after or _ANY} | {move.origins:,} |"
            for move in planned.cold_moves
        ]
        lines.append("")
    yield "\n".join([*lines, f"Digest `{planned.plan.digest}`", ""])


def _zone_lines(zone: ZonePlan, hosts: dict[Address, str]) -> Iterator[str]:
    if not (zone.size or zone.adopted or zone.withheld):
        return
    yield f"zone {zone.name}"
    for name, old, new in zone.pool_changes:
        sign = "+" if old is None else "-" if new is None else "~"
        lists = " -> ".join(" ".join(pool.members) for pool in (old, new) if pool)
        yield click.style(f"  {sign} pool {name}  {lists}", fg=_COLOURS[sign])
    listed = [change.address for change in zone.changes]
    kept = [address for address, _ in (*zone.adopted, *zone.withheld)]
    width = max((len(addresses.text(address)) for address in (*listed, *kept)), default=0)
    for change in zone.changes:
        origin = addresses.text(change.address).ljust(width)
        host = f"  {hosts[change.address]}" if change.address in hosts else ""
        yield (
            click.style(f"  {_sign(change)} {origin}  {_places(change)}", fg=_colour(change)) + host
        )
    for what, which in (("adopt: not in the file yet", zone.adopted), ("kept", zone.withheld)):
        for address, place in which:
            yield f"    {addresses.text(address).ljust(width)}  {shown(place)}  ({what})"
    yield ""


def _cold_move_lines(cold_moves: list[ColdMove] | None) -> Iterator[str]:
    if not cold_moves:
        return
    origins = sum(move.origins for move in cold_moves)
    yield f"upper tiers move for {origins:,} origin{'s' * (origins != 1)}, whose caches start cold:"
    for move in cold_moves:
        yield f"  {move.before or _ANY} to {move.after or _ANY}: {move.origins:,} of {move.zone}"
    yield ""


def _summary(planned: Planned) -> str:
    zones = planned.plan.zones
    creates, updates, deletes = (
        sum(map(len, found))
        for found in (
            [zone.creates for zone in zones],
            [zone.updates for zone in zones],
            [zone.deletes for zone in zones],
        )
    )
    stay = sum(zone.total for zone in zones) - updates - deletes
    if planned.plan.empty:
        return f"nothing to do: {stay:,} mapping{'s' * (stay != 1)} as planned"
    writes = sum(zone.writes for zone in zones)
    pools = sum(len(zone.pool_changes) for zone in zones)
    also = f"; {pools:,} pool{'s' * (pools != 1)} to write" if pools else ""
    return (
        f"{creates:,} to create, {updates:,} to change, {deletes:,} to delete; {stay:,} stay "
        f"({writes} write{'s' * (writes != 1)}){also}"
    )


def _row(change: MappingChange, hosts: dict[Address, str]) -> str:
    host = f" ({hosts[change.address]})" if change.address in hosts else ""
    origin = f"`{addresses.text(change.address)}`{host}"
    return f"| {_sign(change)} | {origin} | {_cell(change.before)} | {_cell(change.after)} |"


def _cell(place: Place | None) -> str:
    return "" if place is None else f"`{shown(place)}`"


def _hosts(planned: Planned) -> dict[Address, str]:
    return {a: host for host, found in planned.pins.items() for a in found}


def _sign(change: MappingChange) -> str:
    if change.before is None:
        return "+"
    return "-" if change.after is None else "~"


def _colour(change: MappingChange) -> str:
    return _COLOURS[_sign(change)]


def _places(change: MappingChange) -> str:
    if change.before is not None and change.after is not None:
        return f"{shown(change.before)} -> {shown(change.after)}"
    return shown(change.after or change.before)
