"""originmap edge: keeps the caches of a node up to date."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from originmap import bootstrap_edge
from originmap.cli import node_options, option_types, options
from originmap.domain.errors import InvalidExport
from originmap.edge import command as commands
from originmap.edge.command import Command
from originmap.edge.errors import UnsupportedSystem
from originmap.edge.target import RUNTIME, Duty
from originmap.export import endpoint
from originmap.export.format import Format
from originmap.export.formats import FORMATS, format_called
from originmap.outbound.errors import UnusableEnvironment
from originmap.settings import EdgeSettings

F = TypeVar("F", bound=Callable[..., object])
_WATCHING = {"envoy"}
"""Caches that load a file as soon as it is there: a check after that comes too late."""
_SLEEPER = "trafficserver"
_DEFAULTS = {field.name: field.default for field in fields(EdgeSettings)}
_HELP = {field.name: str(field.metadata["help"]) for field in fields(EdgeSettings)}
_NAMES = ", ".join(known.name for known in FORMATS)
_WRITE = (
    "Format to export, and the file or folder to write it to; required, repeatable. "
    f"Formats: {_NAMES}."
)
_CHECK = (
    "Check run after the new files are in place; on failure the old files are restored. Repeatable."
)


def _each(name: str, destination: str, metavar: str, text: str) -> Callable[[F], F]:
    return click.option(name, destination, multiple=True, metavar=metavar, help=text)


@click.command("edge")
@options.follow(EdgeSettings)
@node_options.colo
@node_options.zone
@node_options.upstream
@node_options.upstream_file
@_each("--write", "writes", "FORMAT=PATH", _WRITE)
@_each("--check", "checks", "COMMAND", _CHECK)
@_each("--reload", "reloads", "COMMAND", "Command that reloads the cache; repeatable.")
@_each("--runtime", "sockets", "SOCKET", "HAProxy's admin socket, to change maps without a reload.")
@click.option(
    "--traffic-manager",
    "manager",
    type=click.Path(path_type=Path),
    metavar="LOCK",
    help="Traffic Server's manager.lock, to wake its manager after a reload.",
)
@click.option("--no-check", is_flag=True, help="Skip the built-in check of new files.")
@options.state(_HELP["state"])
@click.option(
    "--interval",
    type=option_types.Amount(0.1, 3600),
    default=_DEFAULTS["interval"],
    show_default=True,
    help=_HELP["interval"],
)
@click.option(
    "--verify",
    type=option_types.Amount(0.1, 10_000),
    default=_DEFAULTS["verify"],
    show_default=True,
    help=_HELP["verify"],
)
@click.option("--once", is_flag=True, help="Update the files once, then exit.")
@click.option(
    "--dry-run", is_flag=True, help="Print the changes to the files without writing them."
)
def command(
    writes: tuple[str, ...],
    checks: tuple[str, ...],
    reloads: tuple[str, ...],
    sockets: tuple[str, ...],
    manager: Path | None,
    no_check: bool,
    once: bool,
    dry_run: bool,
    **rest: Any,
) -> None:
    """Keep the cache configuration of a node up to date.

    The agent follows a server, writes the files that the caches of this node load, checks them and
    reloads the caches. The addresses of upper tiers are those of the topology; --upstream overrides
    them. How it works, and what each cache needs: docs/edge.md.

    With several --write options, the values of --check, --reload and --runtime start with a format:
    --reload nginx='nginx -s reload'.

    SIGTERM stops the agent after the current update. SIGHUP verifies the files in place. The log on
    stderr has one line of JSON per event. With --once, exit status 0 means that every cache is up
    to date and 1 that a cache kept its old files; if the server cannot be reached, the agent uses
    its last state.

    Example: originmap edge --follow http://192.0.2.1:8787 --colo SIN
    --write nginx=/etc/nginx/originmap.conf --check 'nginx -t' --reload 'nginx -s reload'
    """
    if not hasattr(os, "killpg"):
        raise UnsupportedSystem
    duties = woken(duties_of(writes, checks, reloads, sockets, alone=not no_check), manager)
    settings = _settings(dry_run=dry_run, **rest)
    if dry_run:
        _preview(settings, duties)
    elif once:
        _once(settings, duties)
    else:
        asyncio.run(bootstrap_edge.run(settings, duties, partial(_started, settings)))


def _settings(
    follow: str,
    token_file: Path | None,
    upstreams: tuple[str, ...],
    upstream_file: BinaryIO | None,
    colo: str | None,
    state: str | None,
    dry_run: bool,
    **rest: Any,
) -> EdgeSettings:
    if not follow:
        raise click.UsageError("--follow is needed: the server whose mappings the caches load")
    if state is None and not dry_run:
        raise UnusableEnvironment(
            "HOME",
            "this user has no home folder to keep the agent's state in",
            "set XDG_STATE_HOME, or give --state FOLDER",
        )
    given = (*node_options.lines(upstream_file), *upstreams)
    endpoint.read(given)
    colo = colo and colo.upper()
    token = options.token(token_file, follow)
    return EdgeSettings(
        follow=follow, token=token, upstreams=given, colo=colo, state=state or "", **rest
    )


def duties_of(
    writes: Sequence[str],
    checks: Sequence[str],
    reloads: Sequence[str],
    sockets: Sequence[str],
    *,
    alone: bool,
) -> list[Duty]:
    """What each --write asks for, with what belongs to it. Raises UsageError."""
    if not writes:
        raise click.UsageError("--write is needed: FORMAT=PATH, what a cache loads, and where")
    paths: dict[str, Path] = {}
    for text in writes:
        name, separator, path = text.partition("=")
        if not (separator and path):
            raise click.UsageError(f"--write {text}: give FORMAT=PATH; formats are {_NAMES}")
        if name in paths:
            raise click.UsageError(f"--write {name} twice: run an agent for each")
        paths[name] = Path(path).absolute()
    names = list(paths)
    check = _shared_out(names, "check", checks)
    reload = _shared_out(names, "reload", reloads)
    socket = _shared_out(names, "runtime", sockets)
    duties = [
        Duty(
            _format(name),
            path,
            checks=_checks(name, check[name]),
            reloads=_commands(reload[name]),
            alone=alone,
            socket=_socket(name, socket[name], reload[name]),
        )
        for name, path in paths.items()
    ]
    _refuse_places(duties)
    return duties


def woken(duties: Sequence[Duty], manager: Path | None) -> list[Duty]:
    """The duties, Traffic Server's with its manager. Raises UsageError."""
    if manager is None:
        return list(duties)
    sleepers = [each for each in duties if each.format.name == _SLEEPER]
    if not any(each.reloads for each in sleepers):
        raise click.UsageError(f"--traffic-manager is for {_SLEEPER}, with --reload")
    return [
        replace(each, manager=manager.absolute()) if each in sleepers else each for each in duties
    ]


def _refuse_places(duties: Sequence[Duty]) -> None:
    taken: dict[Path, str] = {}
    for duty in duties:
        name = duty.format.name
        for path in duty.places:
            if options.is_no_file(path):
                raise click.UsageError(f"--write {name}={duty.path}: {path} is no file")
            before = taken.setdefault(Path(os.path.realpath(path)), name)
            if before != name:
                raise click.UsageError(f"--write: {before} and {name} would both be {path}")
    for folder in (Path(os.path.realpath(duty.folder)) for duty in duties if duty.folder):
        for path, name in taken.items():
            if folder in (path, path.parent):
                raise click.UsageError(f"--write {name}: {folder} is for files of another format")


def _format(name: str) -> Format:
    try:
        return format_called(name)
    except InvalidExport as error:
        raise click.UsageError(f"--write {name}: {error}") from None


def _checks(name: str, texts: list[str]) -> tuple[Command, ...]:
    if texts and name in _WATCHING:
        raise click.UsageError(
            f"--check comes too late for {name}, which loads files once they are in place;"
            " they are checked before"
        )
    return _commands(texts)


def _socket(name: str, paths: list[str], reloads: list[str]) -> Path | None:
    if not paths:
        return None
    if name not in RUNTIME:
        raise click.UsageError(f"--runtime is for {', '.join(RUNTIME)}, not for {name}")
    if len(paths) > 1 or not reloads:
        raise click.UsageError("--runtime takes one socket, and --reload for all but maps")
    return Path(paths[0]).absolute()


def _shared_out(names: Sequence[str], option: str, values: Sequence[str]) -> dict[str, list[str]]:
    """Values by format: FORMAT=VALUE, or without FORMAT if there is only one."""
    shared: dict[str, list[str]] = {name: [] for name in names}
    for text in values:
        name, separator, value = text.partition("=")
        if separator and name in shared:
            shared[name].append(value)
        elif len(names) == 1:
            shared[names[0]].append(text)
        else:
            raise click.UsageError(f"--{option} {text}: say for which, as in {names[0]}={text}")
    return shared


def _commands(texts: Sequence[str]) -> tuple[Command, ...]:
    try:
        return tuple(commands.parse(text) for text in texts)
    except ValueError as error:
        raise click.UsageError(f"not a command: {error}") from None


def _started(settings: EdgeSettings, name: str) -> None:
    click.echo(f"Originmap edge {name} follows {settings.follow} (state in {settings.state})")


def _once(settings: EdgeSettings, duties: Sequence[Duty]) -> None:
    done, problems, warnings = asyncio.run(bootstrap_edge.once(settings, duties))
    for warning in warnings:
        click.echo(f"originmap: {warning}", err=True)
    for name, what in done.items():
        click.echo(f"{name}: {what}")
    for problem, hint in problems:
        click.echo(f"originmap: {problem}" + (f"\n  {hint}" if hint else ""), err=True)
    if problems:
        sys.exit(1)


def _preview(settings: EdgeSettings, duties: Sequence[Duty]) -> None:
    for file in asyncio.run(bootstrap_edge.dry_run(settings, duties)):
        click.echo(f"{file.path} {file.state}, {file.size} bytes")
        if file.diff:
            click.echo(file.diff, nl=False)
