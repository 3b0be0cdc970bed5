"""One cache of this node, and the steps from new files to a cache that serves them.

    1  compare the new files with those on disk     equal: nothing to load, unless the last load
                                                    failed
    2  run the cache's own checker on the new files on failure: discard them
    3  put them in place and run the operator's     on failure: restore the old files
       check on the whole configuration
    4  reload the running cache                     on failure: keep the files, retry later

Nothing here waits for the network, but each step can take seconds, so it runs in a thread.
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
from originmap.edge.haproxy_runtime import Edits, HAProxyMap, edits_of
from originmap.edge.record import ApplyRecord
from originmap.edge.render.spare import spare_of
from originmap.edge.renderer import Rendered
from originmap.edge.switch import FileSwitch, new_of
from originmap.edge.traffic_manager import TrafficManager
from originmap.export.format import File, Format
from originmap.export.node import Node

_LOG = logging.getLogger(__name__)
RUNTIME = {"haproxy": "originmap.map"}
"""The file of a format that a running cache can load entry by entry, without a reload."""


@dataclass(frozen=True, slots=True)
class Duty:
    """The operator's settings of one cache. `path` is a file, or a folder for a format with several
    files. `socket` is the admin socket for updates without a reload. `manager` is Traffic Server's
    manager.lock, to speed up its reloads."""

    format: Format
    path: Path
    checks: tuple[Command, ...] = ()
    reloads: tuple[Command, ...] = ()
    alone: bool = True
    socket: Path | None = None
    manager: Path | None = None

    @property
    def places(self) -> list[Path]:
        """The paths of the format's fixed files; `folder` has those of its family. Raises
        CannotWrite."""
        return [self._place(file) for file in self.format.files]

    @property
    def folder(self) -> Path | None:
        """The folder of the format's family of files, if it has one."""
        return (self.path / self.format.family.name).parent if self.format.family else None

    def files(self, node: Node) -> dict[Path, File]:
        """The files of the format for a node, by path. Raises InvalidExport, CannotWrite."""
        return {self._place(file): file for file in self.format.all(node)}

    def _place(self, file: File) -> Path:
        """The path of a file; a symbolic link is resolved, so that the link stays."""
        path = self.path / file.name if self.format.several else self.path
        try:
            return target_of(path) if path.is_symlink() else path
        except OSError as error:
            raise CannotWrite(str(path), error) from error


class ApplyOutcome(StrEnum):
    """The result of an update."""

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
        """The name of the format."""
        return self.duty.format.name

    def applied(self, epoch: str) -> int | None:
        """The revision that the cache serves; None if it serves another database (epoch)."""
        state = self._record.state
        return state.revision if state.epoch == epoch else None

    def recover(self) -> None:
        """Undo an update that a crash interrupted. Raises CannotWrite."""
        paths = {*self.duty.places, *map(Path, self._record.state.files)}
        disk.discard(made(path) for path in paths for made in (new_of, spare_of))
        self._recover_switch()
        self.clean()

    def _recover_switch(self) -> None:
        restored = self._switch.recover()
        if restored:
            data = {"cache": self.name, "files": [str(path) for path in restored]}
            _LOG.warning("restored the old files of an interrupted update", extra={"data": data})

    def clean(self) -> None:
        """Remove the old files of the last update."""
        self._switch.clean()

    def apply(self, rendered: Rendered, *, compare: bool) -> ApplyOutcome:
        """Make the cache serve the new files, which are at `new_of` of their paths. With
        `compare`, also compare the running cache with its file. Raises EdgeError; the cache then
        keeps its current files."""
        files = self.duty.files(rendered.node)
        try:
            if not rendered.paths >= set(map(new_of, files)):
                raise EdgeError(f"a symbolic link at {self.duty.path} changed during the update")
            return self._apply(rendered, files, compare)
        finally:
            disk.discard(map(new_of, files))

    def _apply(self, rendered: Rendered, files: Mapping[Path, File], compare: bool) -> ApplyOutcome:
        self._recover_switch()
        loaded = self._record.state.loaded
        changed = self._changed(rendered, files)
        edits = self._edits(rendered) if changed else None
        if changed:
            self._check_new_files(rendered, files)
        if changed or self._record.state.files != _marks(files):
            before = self._record.state.files
            self._install(changed, files)
            self._warn_of_unused_files(before)
            # The files are right but not in the record, so the cache may not have loaded them.
            loaded = loaded and bool(changed)
        outcome = self._load(changed, loaded, compare, edits)
        state = self._record.state
        self._record.save(
            msgspec.structs.replace(
                state, epoch=rendered.epoch, revision=rendered.revision, loaded=True
            )
        )
        return outcome

    def _changed(self, rendered: Rendered, files: Iterable[Path]) -> list[Path]:
        """The files that differ from those in place."""
        if rendered.updated is not None:
            return [path for path in files if rendered.wrote(new_of(path))]
        wanted = {path: rendered.digests[new_of(path)] for path in files}
        try:
            changed = [path for path in files if wanted[path] != disk.digest_of(path)]
        except OSError as error:
            raise CannotWrite(str(self.duty.path), error) from error
        for path in changed:
            written = self._record.state.files.get(str(path))
            if written is not None and written != disk.mark_of(path):
                data = {"cache": self.name, "file": str(path)}
                _LOG.warning("the file was changed by another program", extra={"data": data})
        return changed

    def _edits(self, rendered: Rendered) -> Edits | None:
        """How the entries of HAProxy's map change; None if unknown."""
        if self._map is None or rendered.updated is None:
            return None
        new = new_of(self._map_path)
        return edits_of(self._map_path, new, rendered.updated.get(new, ()))

    def _warn_of_unused_files(self, before: Iterable[str]) -> None:
        """Files that are no longer written are not removed: a cache may fail to start without a
        file that its configuration includes."""
        for path in sorted(set(before) - set(self._record.state.files)):
            if Path(path).exists():
                data = {"cache": self.name, "file": path}
                _LOG.warning("the file is no longer updated", extra={"data": data})

    def _check_new_files(self, rendered: Rendered, files: Mapping[Path, File]) -> None:
        if self._checker is not None:
            new = {
                file.name: new_of(path) if rendered.wrote(new_of(path)) else path
                for path, file in files.items()
            }
            checkers.check(self._checker, new, self._environment)

    def _install(self, changed: Sequence[Path], files: Iterable[Path]) -> None:
        self._switch.install(changed)
        try:
            for command in self.duty.checks:
                run(command, self._environment)
        except EdgeError:
            self._switch.restore()
            raise
        self._switch.commit(_marks(files))

    def _load(
        self, changed: Sequence[Path], loaded: bool, compare: bool, edits: Edits | None
    ) -> ApplyOutcome:
        """Make the running cache load the files on disk; `loaded` says whether it has loaded the
        previous ones."""
        if self._map is not None and loaded and set(changed) <= {self._map_path}:
            return self._update_map(self._map, bool(changed), compare, edits)
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
            _LOG.warning("the reload can take up to five seconds", extra={"data": data})

    def _update_map(
        self, running: HAProxyMap, changed: bool, compare: bool, edits: Edits | None
    ) -> ApplyOutcome:
        if not (changed or compare):
            return ApplyOutcome.SAME
        try:
            count = running.update(edits)
        except RuntimeRefused as error:
            if not changed:
                raise
            data = {"cache": self.name, "why": str(error), "do": error.hint}
            _LOG.warning("cannot update the running cache; reloading it", extra={"data": data})
            return self._load([self._map_path], False, compare, None)
        if count and not changed:
            difference = {"cache": self.name, "entries": count}
            _LOG.warning("the running cache differed from its file", extra={"data": difference})
        return ApplyOutcome.AT_RUNTIME if count else ApplyOutcome.SAME


def _marks(paths: Iterable[Path]) -> dict[str, str]:
    return {str(path): disk.mark_of(path) for path in paths}
