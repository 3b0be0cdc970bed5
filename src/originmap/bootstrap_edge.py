"""Builds the edge agent from its settings.

Separate from `bootstrap`, which imports every service: an agent has none and starts faster.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from originmap import data, databases
from originmap.api.access_log import log_json
from originmap.bootstrap_follow import feed_source
from originmap.domain.errors import FeedError, OriginmapError, StoreError, StoreOwned
from originmap.domain.rollout.rollout import allowed
from originmap.edge import checker as checkers
from originmap.edge.agent import Agent
from originmap.edge.errors import CannotWrite, TemporaryUnwritable
from originmap.edge.file_lock import locked
from originmap.edge.follow.follower import Follower
from originmap.edge.follow.reporter import Reporter
from originmap.edge.follow.source import FeedSource
from originmap.edge.follow.token_warning import ADVICE, TokenWarning
from originmap.edge.name_lookup import NameLookup, look_up
from originmap.edge.pace import Pace
from originmap.edge.preview import Preview, preview
from originmap.edge.record import ApplyRecord
from originmap.edge.renderer import Renderer, Standpoint
from originmap.edge.target import Duty, Target
from originmap.export.endpoint import read
from originmap.service import initial_data
from originmap.service.access.directory import Directory
from originmap.service.feed.replication import Replication
from originmap.service.history.retention import Retention
from originmap.service.rollout.current_rollout import CurrentRollout
from originmap.settings import EdgeSettings, command_environment
from originmap.store.clock import monotonic_clock, wall_clock
from originmap.store.port import Store

_DATABASE = "replica.db"
_HISTORY_DAYS, _HISTORY_CHANGES = 30.0, 1_000_000
"""History that an agent keeps, because a rollout can make it serve an older revision."""


@dataclass(frozen=True, slots=True)
class _Node:
    """An agent and its collaborators."""

    store: Store
    rollout: CurrentRollout
    agent: Agent
    follower: Follower
    reporter: Reporter
    names: NameLookup | None
    token_warning: TokenWarning


async def run(
    settings: EdgeSettings, duties: Sequence[Duty], on_start: Callable[[str], None]
) -> None:
    """Keep the caches up to date until SIGTERM or SIGINT; SIGHUP starts a comparison at once.
    `on_start` is called with the node's name. Raises OriginmapError if the agent cannot start."""
    log_json()
    logging.getLogger("originmap").setLevel(logging.INFO)
    async with _opened(settings, duties) as node:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, node.agent.stop)
        loop.add_signal_handler(signal.SIGHUP, node.agent.compare)
        on_start(_name(settings))
        retention = Retention(
            node.store, _HISTORY_DAYS, _HISTORY_CHANGES, wall_clock, lambda: node.rollout.floor
        )
        await node.agent.recover()
        # If one task fails, all stop, and the service manager restarts the agent.
        try:
            async with asyncio.TaskGroup() as group:
                work = [node.follower.run(), node.reporter.run(), retention.run()]
                work.append(node.token_warning.run())
                if node.names is not None:
                    work.append(node.names.run())
                tasks = [group.create_task(each) for each in work]
                await node.agent.run()
                for task in tasks:
                    task.cancel()
        except ExceptionGroup as group:
            ours = group.subgroup(OriginmapError)
            raise ours.exceptions[0] if ours is not None else group from None


class Result(NamedTuple):
    """The outcome for each cache that is up to date; the problems of the rest as (text, hint),
    the hint may be ""; and warnings."""

    done: dict[str, str]
    problems: list[tuple[str, str]]
    warnings: list[str]


async def once(settings: EdgeSettings, duties: Sequence[Duty]) -> Result:
    """Bring the caches up to date once, from the last saved state if the primary is unreachable.
    Raises OriginmapError if the agent cannot start."""
    warnings = []
    async with _opened(settings, duties) as node:
        try:
            await node.follower.catch_up()
        except (FeedError, StoreError) as error:
            if not node.store.is_replica:
                raise
            warnings.append(f"using the last saved state: {error}")
        await node.agent.recover()
        if node.token_warning.needed:
            warnings.append(ADVICE)
        outcomes = await node.agent.update()
        await node.agent.clean()
        with contextlib.suppress(FeedError):
            await node.reporter.send()
        revision = node.agent.rendered.revision if node.agent.rendered else None
    done = {name: f"{outcome.value}, revision {revision}" for name, outcome in outcomes.items()}
    problems = [(f"{name}: {error}", error.hint) for name, error in node.agent.problems.items()]
    return Result(done, problems, warnings)


async def dry_run(settings: EdgeSettings, duties: Sequence[Duty]) -> list[Preview]:
    """Preview the change of each file from the primary's current state, without writing to any
    folder of a cache or an agent. Raises OriginmapError."""
    async with databases.opened(databases.MEMORY) as store:
        copy = Replication(settings.follow, wall_clock)
        async with _client(settings) as client:
            await Follower(store, client, copy).catch_up()
        try:
            with tempfile.TemporaryDirectory(prefix="originmap-dry-run-") as folder:
                names = _names(duties, lambda: None)
                return await preview(_renderer(store, settings, names), duties, Path(folder))
        except OSError as error:
            raise TemporaryUnwritable(error) from error


@contextlib.asynccontextmanager
async def _opened(settings: EdgeSettings, duties: Sequence[Duty]) -> AsyncIterator[_Node]:
    folder = make_state_folder(settings.state)
    environment = command_environment()
    targets = [
        Target(
            duty,
            checkers.checker_of(duty.format.name, environment) if duty.alone else None,
            ApplyRecord(folder / f"{duty.format.name}.json"),
            environment,
        )
        for duty in duties
    ]
    copy = Replication(settings.follow, wall_clock)
    async with (
        _replica(folder, settings.follow) as store,
        _client(settings) as client,
    ):
        reporter = Reporter(store, client, _serves(settings, duties), settings.colo or "")
        rollout = CurrentRollout(store)
        names = _names(duties, lambda: agent.compare())
        agent = Agent(
            store,
            _renderer(store, settings, names),
            targets,
            Pace(settings.interval, settings.verify * 60),
            reporter.note,
            lambda: allowed(rollout.rollout, _name(settings), settings.colo or ""),
            wall_clock,
            lambda: monotonic_clock() / 1e6,
        )
        follower = Follower(store, client, copy, lambda: rollout.floor)
        with locked(place for duty in duties for place in duty.places):
            token_warning = TokenWarning(store, copy)
            yield _Node(store, rollout, agent, follower, reporter, names, token_warning)


@contextlib.asynccontextmanager
async def _replica(folder: Path, primary: str) -> AsyncIterator[Store]:
    db = str(folder / _DATABASE)
    try:
        async with databases.opened_replica(db, always_copy=True) as store:
            await initial_data.prepare_replica(primary, store, Directory(), wall_clock, db)
            yield store
    except StoreOwned as error:
        error.hint = "another agent uses this --state folder: stop it, or set another folder"
        raise


def make_state_folder(state: str) -> Path:
    """Create the folder unless it exists. Raises CannotWrite."""
    folder = Path(state)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        unwritable = CannotWrite(state, error)
        unwritable.hint = "set --state or XDG_STATE_HOME to a folder that this user can write"
        raise unwritable from error
    return folder


def _client(settings: EdgeSettings) -> AbstractAsyncContextManager[FeedSource]:
    return feed_source(settings, _name(settings), of_nodes=True)


def _names(duties: Sequence[Duty], on_change: Callable[[], None]) -> NameLookup | None:
    needed = any(duty.format.of_addresses for duty in duties)
    return NameLookup(look_up, on_change) if needed else None


def _renderer(store: Store, settings: EdgeSettings, names: NameLookup | None) -> Renderer:
    standpoint = Standpoint(
        _name(settings), settings.colo, settings.zones, read(settings.upstreams)
    )
    return Renderer(store, standpoint, data.catalogue(), data.topology(), wall_clock, names)


def _name(settings: EdgeSettings) -> str:
    return settings.name or socket.gethostname()


def _serves(settings: EdgeSettings, duties: Sequence[Duty]) -> str:
    formats = ", ".join(duty.format.name for duty in duties)
    return f"{formats} in {settings.colo}" if settings.colo else formats
