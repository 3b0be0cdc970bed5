"""Updates the map of a running HAProxy from its file, over the admin socket, without a reload.

If the entries that a change concerns are known, only these are sent. Otherwise the running map is
read and compared with the file, and the entries that differ are changed. So the cause of a
difference does not matter: a change, a failed reload, or a manual edit. Then the map is read again
to verify the result. The running map is streamed; the entries of the file are in memory.

HAProxy's management guide, "Unix Socket commands": show map, add map, set map, del map.
"""

import contextlib
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from originmap.edge.errors import CannotWrite, RuntimeRefused
from originmap.edge.render.update import Replaced
from originmap.export.format import Span

_TIMEOUT_SECONDS = 10.0
_LARGEST_EDITS = 4 << 20  # bytes of the file
_LONGEST_LINE = 8_000  # HAProxy reads a line into one buffer, of 16,384 bytes by default

Entry = tuple[str, str]
"""A key and its value."""


class Edits(NamedTuple):
    """The entries of the parts of a map file that change, before and after."""

    before: Mapping[str, str]
    after: Mapping[str, str]


class HAProxyMap:
    """A map file, and the socket of the HAProxy that loaded it."""

    def __init__(self, socket_path: Path, map_path: Path) -> None:
        """`map_path` must be spelled as in HAProxy's configuration."""
        self._socket = socket_path
        self._map = re.sub(r"([\\ ;])", r"\\\1", str(map_path))
        self._path = map_path

    def update(self, edits: Edits | None = None) -> int:
        """Make the running map equal to the file; with `edits`, change only these entries, if
        HAProxy has them as before. Returns the number of entries that differed. Raises
        RuntimeRefused."""
        if edits is not None:
            with contextlib.suppress(RuntimeRefused):
                return self._change(commands(self._map, edits.before.items(), edits.after))
        wanted = self._wanted()
        needed = commands(self._map, self._running(), wanted)
        if not self._change(needed):
            return 0
        left = len(commands(self._map, self._running(), wanted))
        if left:
            entries = "1 entry" if left == 1 else f"{left} entries"
            raise RuntimeRefused(
                f"the map {self._path} in HAProxy still differs from the file in {entries}"
            )
        return len(needed)

    def _change(self, needed: Sequence[str]) -> int:
        for line in lines_of(needed):
            response = self._send(line).strip()
            if response:
                raise RuntimeRefused(f"HAProxy rejects a change of {self._path}: {response}")
        return len(needed)

    def _wanted(self) -> dict[str, str]:
        try:
            with self._path.open(encoding="utf-8") as file:
                return dict(entries_of(file))
        except (OSError, UnicodeDecodeError) as error:
            raise RuntimeRefused(f"cannot read {self._path}: {error}") from error

    def _running(self) -> Iterator[Entry]:
        lines = self._response(f"show map {self._map}")
        first = next(lines, "")
        if first.startswith("Unknown map"):
            raise RuntimeRefused(
                f"HAProxy has no map {self._path}", "use exactly this path in its configuration"
            )
        # "0x55d0 example.com/192.0.2.1 originmap_iad_fra"
        return entries_of(line.partition(" ")[2] for line in chain([first], lines))

    def _send(self, line: str) -> str:
        return "".join(self._response(line))

    def _response(self, line: str) -> Iterator[str]:
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
                connection.settimeout(_TIMEOUT_SECONDS)
                connection.connect(str(self._socket))
                connection.sendall(line.encode() + b"\n")
                with connection.makefile(encoding="utf-8", errors="replace") as response:
                    yield from response
        except OSError as error:
            raise RuntimeRefused(
                f"cannot connect to HAProxy at {self._socket}: {error.strerror or error}",
                "add to its configuration: stats socket PATH level admin",
            ) from error


def edits_of(old: Path, new: Path, replaced: Sequence[Replaced]) -> Edits | None:
    """The edits between two versions of a map file; None if they are most of a large file. Raises
    CannotWrite."""
    if sum(each.before.end - each.before.start for each in replaced) > _LARGEST_EDITS:
        return None
    try:
        before = _lines(old, [each.before for each in replaced])
        after = _lines(new, [each.after for each in replaced])
    except OSError as error:
        raise CannotWrite(str(old), error) from error
    return Edits(dict(entries_of(before)), dict(entries_of(after)))


def _lines(path: Path, spans: Sequence[Span]) -> list[str]:
    lines = []
    with path.open("rb") as file:
        for span in spans:
            file.seek(span.start)
            lines += file.read(span.end - span.start).decode().splitlines()
    return lines


def entries_of(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a map; each line has a key, spaces and a value. Equal values are one
    object."""
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if key:
            yield key, sys.intern(value.strip())


def commands(name: str, running: Iterable[Entry], wanted: Mapping[str, str]) -> list[str]:
    """The commands that turn the running map into the wanted one."""
    missing = dict(wanted)
    needed: dict[str, str] = {}
    for key, value in running:
        if key in missing:
            if value != missing.pop(key):
                needed[key] = f"set map {name} {key} {wanted[key]}"
        elif key in wanted:  # again: "set" would keep the duplicates; "del" removes all of them
            needed[key] = f"del map {name} {key};add map {name} {key} {wanted[key]}"
        else:
            needed[key] = f"del map {name} {key}"
    return [*needed.values(), *(f"add map {name} {key} {missing[key]}" for key in missing)]


def lines_of(needed: Sequence[str]) -> Iterator[str]:
    """Join commands into lines, each as long as HAProxy accepts."""
    line = ""
    for command in needed:
        if line and len(line) + len(command) > _LONGEST_LINE:
            yield line
            line = ""
        line = f"{line};{command}" if line else command
    if line:
        yield line
