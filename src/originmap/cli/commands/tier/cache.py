"""originmap cache: the caches of the topology, which share the URLs of their colo."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from originmap.cli import option_types, options
from originmap.cli.api_options import out, write_out
from originmap.cli.output.table import print_json, print_table
from originmap.cli.server_options import server
from originmap.client.server import NATIVE, APIServer
from originmap.domain.errors import InvalidTopology
from originmap.domain.tier.cache import MAX_WEIGHT, CacheState
from originmap.domain.tier.cache_changes import CacheChange, CacheChanges, caches_of
from originmap.domain.tier.endpoint import is_host, parse_endpoint
from originmap.domain.tier.topology import Colo, Topology

F = TypeVar("F", bound=Callable[..., object])
_PATH = NATIVE + "/topology"
_FORMATS = ("csv", "ansible", "file_sd")  # of cachefile.reader, which takes long to load


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any]:
    """HOST or HOST:PORT, as the members address and port."""
    if value is None:
        return {}
    text = value.strip().lower()
    host = text.removeprefix("[").removesuffix("]")
    if is_host(host):
        return {"address": host}
    endpoint = parse_endpoint(text)
    if endpoint is None:
        raise click.BadParameter(f"{value!r}: give 192.0.2.10, [2001:db8::1]:8080 or HOST:PORT")
    return {"address": endpoint.host, "port": endpoint.port}


def _values(command: F) -> F:
    """--weight, --tag"""
    for option in (
        click.option(
            "--tag",
            "tags",
            multiple=True,
            metavar="TAG",
            help="Tag of the cache, your own; repeatable.",
        ),
        click.option(
            "--weight",
            type=option_types.Whole(1, MAX_WEIGHT),
            help="Share of the URLs: a cache of weight 2 gets twice as many as one of weight 1.",
        ),
    ):
        command = option(command)
    return command


names = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.group("cache")
def command() -> None:
    """Show and change the caches of your colos."""


@command.command("list")
@click.option("--colo", metavar="CODE", help="Only the caches of this colo.")
@server
@options.as_json
def list_(colo: str | None, server: APIServer, as_json: bool) -> None:
    """List caches by colo and name.

    Example: originmap cache list --colo IAD --db originmap.db
    """
    colos = _colos(_topology(server), colo)
    rows = [
        {"colo": each.code, **msgspec.to_builtins(cache), "tags": list(cache.tags)}
        for each in colos
        for cache in sorted(each.caches, key=lambda cache: cache.name)
    ]
    if as_json:
        print_json(rows)
        return
    print_table(rows, ("colo", "name", "address", "port", "weight", "state", "tags"))
    if not rows:
        click.echo("no caches: add them with originmap cache add or cache import", err=True)


@command.command("add")
@click.argument("colo")
@click.argument("name")
@click.argument("address", metavar="ADDRESS[:PORT]", callback=_address)
@_values
@server
def add(
    colo: str,
    name: str,
    address: dict[str, Any],
    weight: int | None,
    tags: tuple[str, ...],
    server: APIServer,
) -> None:
    """Add a cache to a colo.

    NAME is unique in the topology. ADDRESS is an IP address or a host name; the default port is 80.
    The cache gets URLs at once.

    Example: originmap cache add IAD iad-1 192.0.2.10:80 --weight 2 --db originmap.db
    """
    change = CacheChange(colo=colo.upper(), **address, weight=weight, tags=tags)
    known = caches_of(_topology(server)).get(name)
    if known and known != (colo.upper(), change.of(name)):
        raise InvalidTopology(
            [f"there is a cache {name} in {known[0]} already: change it with originmap cache set"]
        )
    _report(_change(server, {name: change}), {colo.upper()}, f"{name}: added to {colo.upper()}")


@command.command("set")
@click.argument("name")
@click.option(
    "--address", metavar="ADDRESS[:PORT]", callback=_address, help="New address of the cache."
)
@click.option("--colo", metavar="CODE", help="Colo to move the cache to.")
@_values
@click.option("--no-tags", is_flag=True, help="Remove all tags.")
@server
def set_(
    name: str,
    address: dict[str, Any],
    colo: str | None,
    weight: int | None,
    tags: tuple[str, ...],
    no_tags: bool,
    server: APIServer,
) -> None:
    """Change a cache.

    Values without an option stay as they are; --tag replaces all tags.

    Example: originmap cache set iad-1 --weight 3 --db originmap.db
    """
    if tags and no_tags:
        raise click.UsageError("give --tag or --no-tags, not both")
    new_tags = tags if tags or no_tags else None
    change = CacheChange(colo=colo and colo.upper(), **address, weight=weight, tags=new_tags)
    if change == CacheChange():
        raise click.UsageError("give at least one of --address, --colo, --weight and --tag")
    _change(server, {name: change})
    click.echo(f"{name}: changed", err=True)


@command.command("drain")
@names
@server
def drain(names: tuple[str, ...], server: APIServer) -> None:
    """Drain caches.

    Their URLs move to the other caches of the colo, and no others move. A draining cache is used
    only if no cache of its colo is active.

    Example: originmap cache drain iad-1 --db originmap.db
    """
    _set_state(server, names, CacheState.DRAINING)


@command.command("activate")
@names
@server
def activate(names: tuple[str, ...], server: APIServer) -> None:
    """Put caches back into service.

    They get the URLs again that they had before.

    Example: originmap cache activate iad-1 --db originmap.db
    """
    _set_state(server, names, CacheState.ACTIVE)


@command.command("down")
@names
@server
def down(names: tuple[str, ...], server: APIServer) -> None:
    """Take caches out of service.

    A cache that is down is never used. If all caches of a colo are down, the colo is no upper tier;
    the change is refused if no colo would be left.

    Example: originmap cache down iad-1 --db originmap.db
    """
    _set_state(server, names, CacheState.DOWN)


@command.command("remove")
@names
@server
def remove(names: tuple[str, ...], server: APIServer) -> None:
    """Remove caches from the topology.

    Example: originmap cache remove iad-1 --db originmap.db
    """
    codes = {code for name, (code, _) in caches_of(_topology(server)).items() if name in names}
    topology = _change(server, dict.fromkeys(names))
    _report(topology, codes, f"{' '.join(names)}: removed")


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), help="Format of FILE. Default: detected."
)
@click.option(
    "--colo-var",
    metavar="NAME",
    help="Variable or label with the colo. Default: originmap_colo in Ansible, colo in file_sd.",
)
@click.option("--replace", is_flag=True, help="Remove all caches that are not in the file.")
@click.option("--dry-run", is_flag=True, help="Print the plan without changing anything.")
@server
def import_(
    file: Path,
    form: str | None,
    colo_var: str | None,
    replace: bool,
    dry_run: bool,
    server: APIServer,
) -> None:
    """Add and change caches from a file.

    FILE is a CSV file, an Ansible inventory in YAML, or a file of Prometheus targets (file_sd).
    Values that the file does not have stay as they are, such as the states of caches. Prints the
    plan, and makes all changes in one request. The formats: docs/topology.md#files-of-caches.

    Example: originmap cache import inventory.yaml --dry-run --db originmap.db
    """
    from originmap.cachefile.plan import plan_caches
    from originmap.cachefile.reader import read_caches

    draft = read_caches(file, form, colo_var)
    plan = plan_caches(_topology(server), draft, replace=replace)
    for line in plan.lines():
        click.echo(line)
    if draft.skipped:
        shown = ", ".join(draft.skipped[:5]) + (", …" if len(draft.skipped) > 5 else "")
        count = f"{len(draft.skipped):,} host{'s' * (len(draft.skipped) != 1)}"
        click.echo(f"skipped {count} without a colo: {shown}", err=True)
    if dry_run or not plan.changes:
        return
    codes = {placed[0] for move in plan.moves for placed in move if placed}
    _report(_change(server, plan.changes), codes, "imported")


@command.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(("file_sd", "csv")),
    default="file_sd",
    show_default=True,
    help="Prometheus targets in JSON, or CSV.",
)
@click.option("--colo", metavar="CODE", help="Only the caches of this colo.")
@out
@server
def export(form: str, colo: str | None, out: Path | None, server: APIServer) -> None:
    """Write the caches to a file, for monitoring or for originmap cache import.

    A file is replaced atomically. In file_sd each cache is a group with the labels colo, city,
    country, region, name, state, weight and tags.

    Example: originmap cache export --out caches.json --db originmap.db
    """
    from originmap.cachefile import csv_table, file_sd

    colos = _colos(_topology(server), colo)
    write_out(out, [file_sd.write(colos) if form == "file_sd" else csv_table.write(colos)])


def _topology(server: APIServer) -> Topology:
    return msgspec.convert(server.ask("GET", _PATH), Topology)


def _colos(topology: Topology, code: str | None) -> list[Colo]:
    """The colos by code, or the one with this code. Raises InvalidTopology."""
    if code is None:
        return sorted(topology.colos, key=lambda colo: colo.code)
    colo = topology.by_code().get(code.upper())
    if colo is None:
        raise InvalidTopology([f"there is no colo {code.upper()}"])
    return [colo]


def _change(server: APIServer, changes: CacheChanges) -> Topology:
    """Send changes; the new topology."""
    sent = {name: change and _json(change) for name, change in changes.items()}
    return msgspec.convert(server.ask("PATCH", _PATH, body={"caches": sent}), Topology)


def _json(change: CacheChange) -> dict[str, Any]:
    return ({"colo": change.colo} if change.colo else {}) | change.values


def _set_state(server: APIServer, names: tuple[str, ...], state: CacheState) -> None:
    topology = _change(server, dict.fromkeys(names, CacheChange(state=state)))
    codes = {code for name, (code, _) in caches_of(topology).items() if name in names}
    _report(topology, codes, f"{' '.join(names)}: {state}")


def _report(topology: Topology, codes: Collection[str], done: str) -> None:
    """Print what was done, and how many caches of these colos serve."""
    click.echo(done, err=True)
    for code in sorted(codes):
        colo = topology.by_code()[code]
        total, left = len(colo.caches), len(colo.serving)
        if not total:
            click.echo(f"{code}: no caches left; nodes use cache_template or --upstream", err=True)
        elif not left:
            click.echo(f"{code}: no cache serves; the colo is out of service", err=True)
        elif colo.serving[0].state is CacheState.DRAINING:
            click.echo(f"{code}: no cache is active; its {left} draining ones serve", err=True)
        else:
            click.echo(f"{code}: serving caches: {left} of {total}", err=True)
