"""One cache of this node: what it is fed, and the steps from new files to a cache that serves them.

    new files differ from what is on disk?      no: nothing to load, unless the last time failed
    its own checker takes them, alone?          no: they go, the old ones were never touched
    they are switched in; the operator's        no: the old ones come back
      check takes the whole configuration?
    the running cache is told                   it refuses: the files stay, it is told again later

Nothing here waits for the network, and everything may take seconds: it runs in a thread.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from originmap.atomic_file import target_of
from originmap.edge import checker as checkers
from originmap.edge import disk
from originmap.edge.checker import Checker
from originmap.edge.command import Command, run
from originmap.edge.errors import CannotWake, CannotWrite, EdgeError, RuntimeRefused
from originmap.edge.haproxy_runtime import HAProxyMap
from originmap.edge.record import ApplyRecord
from originmap.edge.renderer import Rendered, discard
from originmap.edge.switch import FileSwitch, new_of
from originmap.edge.traffic_manager import TrafficManager
from originmap.export.format import File, Format
from originmap.export.node import Node

_LOG = logging.getLogger(__name__)
RUNTIME = {"haproxy": "originmap.map"}
"""Formats with a file that a running cache takes entry by entry."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What the operator wants for one cache. `path` is a file, or a folder where the format has
    several; `socket` is where the running cache takes changes without a reload, `manager` the lock
    of one that sleeps over a reload."""

    format: Format
    path: Path
    checks: tuple[Command, ...] = ()
    reloads: tuple[Command, ...] = ()
    alone: bool = True
    socket: Path | None = None
    manager: Path | None = None

    @property
    def places(self) -> list[Path]:
        """Where files of the format belong, whatever the node; those of a family besides. Raises
        CannotWrite."""
        return [self._place(file) for file in self.format.files]

    @property
    def folder(self) -> Path | None:
        """Where those of a family belong."""
        return (self.path / self.format.family.name).parent if self.format.family else None

    def files(self, node: Node) -> dict[Path, File]:
        """The files of the format for a node, by where they belong. Raises InvalidExport,
        CannotWrite."""
        return {self._place(file): file for file in self.format.all(node)}

    def _place(self, file: File) -> Path:
        """A file, or what the symbolic link in its place leads to: the link stays."""
        path = self.path / file.name if self.format.several else self.path
        try:
            return target_of(path) if path.is_symlink() else path
        except OSError as error:
            raise CannotWrite(str(path), error) from error


class ApplyOutcome(StrEnum):
    """What was done."""

    SAME = "nothing to do"
    WRITTEN = "written"
    RELOADED = "reloaded"
    AT_RUNTIME = "changed at runtime"


class Target:
    """Keeps one cache up to date."""

    def __init__(
        self,
        duty: Duty,
        checker: Checker | None,
        record: ApplyRecord,
        environment: Mapping[str, str],
    ) -> None:
        self.duty = duty
        self._checker = checker
        self._record = record
        self._environment = environment
        self._switch = FileSwitch(record)
        self._map: HAProxyMap | None = None
        self._manager: TrafficManager | None = None
        if duty.manager is not None:
            self._manager = TrafficManager(duty.manager, duty.path / "records.config")
        if duty.socket is not None:
            named = duty.path / RUNTIME[duty.format.name]
            self._map_path = Path(os.path.realpath(named)) if named.is_symlink() else named
            self._map = HAProxyMap(duty.socket, named)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.duty.format.name

    def applied(self, epoch: str) -> int | None:
        """The revision of this database that the cache serves; None where it is of another."""
        done = self._record.done
        return done.revision if done.epoch == epoch else None

    def recover(self) -> None:
        """After a crash: whatever was not checked to its end goes. Raises CannotWrite."""
        known = {*self.duty.places, *map(Path, self._record.done.files)}
        discard(map(new_of, known))
        self._put_back_what_is_left()

    def _put_back_what_is_left(self) -> None:
        back = self._switch.recover()
        if back:
            data = {"cache": self.name, "files": [str(path) for path in back]}
            _LOG.warning("put back what was not checked", extra={"data": data})

    def apply(self, rendered: Rendered, *, compare: bool) -> ApplyOutcome:
        """Have the cache serve the new files, which wait where `new_of` says; with `compare` see
        whether it serves the old ones in truth. Raises EdgeError: it keeps what it has then."""
        files = self.duty.files(rendered.node)
        try:
            if not rendered.digests.keys() >= set(map(new_of, files)):
                raise EdgeError(f"a symbolic link of {self.duty.path} was changed meanwhile")
            return self._apply(rendered, files, compare)
        finally:
            discard(map(new_of, files))

    def _apply(self, rendered: Rendered, files: Mapping[Path, File], compare: bool) -> ApplyOutcome:
        self._put_back_what_is_left()
        loaded = self._record.done.loaded
        wanted = {path: rendered.digests[new_of(path)] for path in files}
        there = self._there(files)
        self._tell_of_strangers(wanted, there)
        changed = [path for path in files if wanted[path] != there[path]]
        if changed:
            self._check_alone(files)
        if changed or self._record.done.files != _texts(wanted):
            before = self._record.done.files
            self._switch_in(changed, wanted)
            self._tell_of_leftovers(before)
            # The right bytes that the record does not know of: who knows what the cache has.
            loaded = loaded and bool(changed)
        outcome = self._load(changed, loaded, compare)
        done = self._record.done
        self._record.keep(
            msgspec.structs.replace(
                done, epoch=rendered.epoch, revision=rendered.revision, loaded=True
            )
        )
        return outcome

    def _there(self, files: Iterable[Path]) -> dict[Path, str]:
        try:
            return {path: disk.digest_of(path) for path in files}
        except OSError as error:
            raise CannotWrite(str(self.duty.path), error) from error

    def _tell_of_strangers(self, wanted: Mapping[Path, str], there: Mapping[Path, str]) -> None:
        for path in wanted:
            written = self._record.done.files.get(str(path))
            if written is not None and there[path] not in (written, wanted[path]):
                data = {"cache": self.name, "file": str(path)}
                _LOG.warning("somebody changed it: it is written anew", extra={"data": data})

    def _tell_of_leftovers(self, before: Iterable[str]) -> None:
        """What is written no more stays: a cache may not start without a file that its
        configuration names."""
        for path in sorted(set(before) - set(self._record.done.files)):
            if Path(path).exists():
                data = {"cache": self.name, "file": path}
                _LOG.warning("it is written no more, and stays as it was", extra={"data": data})

    def _check_alone(self, files: Mapping[Path, File]) -> None:
        if self._checker is not None:
            new = {file.name: new_of(path) for path, file in files.items()}
            checkers.check(self._checker, new, self._environment)

    def _switch_in(self, changed: Sequence[Path], wanted: Mapping[Path, str]) -> None:
        self._switch.make(changed)
        try:
            for command in self.duty.checks:
                run(command, self._environment)
        except EdgeError:
            self._switch.put_back()
            raise
        self._switch.settle(_texts(wanted))

    def _load(self, changed: Sequence[Path], loaded: bool, compare: bool) -> ApplyOutcome:
        """Have the running cache take what is on disk; `loaded`: what was there before, it has."""
        if self._map is not None and loaded and set(changed) <= {self._map_path}:
            return self._bring(self._map, bool(changed), compare)
        if loaded and not changed:
            return ApplyOutcome.SAME
        for command in self.duty.reloads:
            run(command, self._environment)
        if self._manager is not None:
            self._wake(self._manager)
        return ApplyOutcome.RELOADED if self.duty.reloads else ApplyOutcome.WRITTEN

    def _wake(self, manager: TrafficManager) -> None:
        try:
            manager.wake()
        except CannotWake as error:
            data = {"cache": self.name, "why": str(error), "do": error.hint}
            _LOG.warning("it takes up to five seconds to load", extra={"data": data})

    def _bring(self, running: HAProxyMap, changed: bool, compare: bool) -> ApplyOutcome:
        if not (changed or compare):
            return ApplyOutcome.SAME
        try:
            count = running.bring()
        except RuntimeRefused as error:
            if not changed:
                raise
            data = {"cache": self.name, "why": str(error), "do": error.hint}
            _LOG.warning("it is reloaded instead", extra={"data": data})
            return self._load([self._map_path], False, compare)
        if count and not changed:
            differed = {"cache": self.name, "entries": count}
            _LOG.warning("the running cache differed from its file", extra={"data": differed})
        return ApplyOutcome.AT_RUNTIME if count else ApplyOutcome.SAME


def _texts(digests: Mapping[Path, str]) -> dict[str, str]:
    return {str(path): digest for path, digest in digests.items()}
