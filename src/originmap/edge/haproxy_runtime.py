"""A running HAProxy's map, brought to what its file says over the admin socket: no reload.

What is there is asked for, compared, and set right entry by entry, so it does not matter how it
came to differ: by a change, by a reload that failed, or by somebody's hand. Afterwards it is asked
for again.

HAProxy's management guide, "Unix Socket commands": show map, add map, set map, del map.
"""

import contextlib
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from originmap.edge.errors import RuntimeRefused

_TIMEOUT_SECONDS = 10.0
_LONGEST_LINE = 8_000  # HAProxy reads a line into one buffer, of 16,384 bytes by default

Entries = Mapping[str, str | None]
"""Values by key; None for a key that is there more than once."""


class HAProxyMap:
    """A map file, and the socket of the HAProxy that loaded it."""

    def __init__(self, socket_path: Path, map_path: Path) -> None:
        """`map_path` as the configuration names it."""
        self._socket = socket_path
        self._map = re.sub(r"([\\ ;])", r"\\\1", str(map_path))
        self._path = map_path

    def bring(self) -> int:
        """Make the running map what the file says; how many entries differed. Raises
        RuntimeRefused."""
        wanted = self._wanted()
        needed = commands(self._map, self._running(), wanted)
        if not needed:
            return 0
        for line in lines_of(needed):
            said = self._ask(line).strip()
            if said:
                raise RuntimeRefused(f"HAProxy refuses a change of {self._path}: {said}")
        left = len(commands(self._map, self._running(), wanted))
        if left:
            raise RuntimeRefused(f"{left} entries of {self._path} are not in HAProxy after all")
        return len(needed)

    def _wanted(self) -> Entries:
        try:
            return entries_of(self._path.read_text("utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise RuntimeRefused(f"cannot read {self._path}: {error}") from error

    def _running(self) -> Entries:
        said = self._ask(f"show map {self._map}")
        if said.startswith("Unknown map"):
            raise RuntimeRefused(
                f"HAProxy has no map {self._path}", "name it in its configuration by this path"
            )
        # "0x55d0 example.com/192.0.2.1 originmap_iad_fra"
        return entries_of(line.partition(" ")[2] for line in said.splitlines())

    def _ask(self, line: str) -> str:
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
                connection.settimeout(_TIMEOUT_SECONDS)
                connection.connect(str(self._socket))
                connection.sendall(line.encode() + b"\n")
                with connection.makefile("rb") as answer:
                    return answer.read().decode("utf-8", "replace")
        except OSError as error:
            raise RuntimeRefused(
                f"HAProxy cannot be asked at {self._socket}: {error.strerror or error}",
                "its configuration needs: stats socket PATH level admin",
            ) from error


def entries_of(lines: Iterator[str] | Sequence[str]) -> Entries:
    """The entries of a map: a key, blanks, a value."""
    found: dict[str, str | None] = {}
    for line in lines:
        key, _, value = line.strip().partition(" ")
        if key:
            found[key] = None if key in found else value.strip()
    return found


def commands(name: str, running: Entries, wanted: Entries) -> list[str]:
    """What makes the running map into the wanted one, a command for each entry that differs."""
    needed = []
    for key, value in wanted.items():
        if key not in running:
            needed.append(f"add map {name} {key} {value}")
        elif running[key] is None:  # "set" would leave all of them, "del" takes them all
            needed.append(f"del map {name} {key};add map {name} {key} {value}")
        elif running[key] != value:
            needed.append(f"set map {name} {key} {value}")
    needed += [f"del map {name} {key}" for key in running if key not in wanted]
    return needed


def lines_of(needed: Sequence[str]) -> Iterator[str]:
    """Several commands in a line, as many as HAProxy reads at once."""
    line = ""
    for command in needed:
        if line and len(line) + len(command) > _LONGEST_LINE:
            yield line
            line = ""
        line = f"{line};{command}" if line else command
    if line:
        yield line
