"""What can be wrong with files of mappings.

MapFileError
├── WrongFile       everything wrong with what is in them, with file, line and column
├── WrongSource     everything wrong with what another tool wrote
└── UnusableFile    a file that cannot be read or written at all
"""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.errors import OriginmapError


class Where(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    where: Where
    text: str


class MapFileError(OriginmapError):
    """A file of mappings cannot be used."""


class WrongFile(MapFileError):
    """What is in the files makes no sense; `problems` lists everything, in order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        lines = [f"{problem.where}: {problem.text}" for problem in self.problems]
        count = f"{len(lines)} errors" if len(lines) > 1 else "1 error"
        super().__init__("\n".join([f"{count} in the files of mappings", *lines]))
        self.hint = (
            "the form of the file is in docs/mappings-as-code.md; originmap schema prints it"
        )


class WrongSource(MapFileError):
    """What another tool wrote makes no sense here; `problems` has a line for everything."""

    SHOWN = 20

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        self.problems = list(problems)
        self.hint = hint
        lines = self.problems[: self.SHOWN]
        if len(self.problems) > len(lines):
            lines.append(f"and {len(self.problems) - len(lines):,} more like these")
        count = [f"{len(self.problems):,} errors"] if len(self.problems) > 1 else []
        super().__init__("\n".join([*count, *lines]))


class UnusableFile(MapFileError):
    """A file that cannot be read or written."""

    def __init__(self, file: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.hint = hint
