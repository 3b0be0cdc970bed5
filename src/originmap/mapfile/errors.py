"""Errors of mappings files.

MapFileError
├── WrongFile       all problems of the content, with file, line and column
├── WrongSource     all problems of the content of another tool's file
└── UnusableFile    a file that cannot be read or written
"""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.errors import OriginmapError


class Where(NamedTuple):
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """A problem and its position."""

    where: Where
    text: str


class MapFileError(OriginmapError):
    """A mappings file cannot be used."""


class WrongFile(MapFileError):
    """The content of mappings files is invalid; `problems` lists all problems, in order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        lines = [f"{problem.where}: {problem.text}" for problem in self.problems]
        count = f"{len(lines)} errors" if len(lines) > 1 else "1 error"
        super().__init__("\n".join([f"{count} in the files of mappings", *lines]))
        self.hint = (
            "the form of the file is in docs/mappings-as-code.md; originmap schema prints it"
        )


class WrongSource(MapFileError):
    """The content of another tool's file is invalid; `problems` has a line for each problem."""

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
