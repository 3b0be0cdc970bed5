"""Errors of updating a cache.

EdgeError
├── CannotWake       Traffic Server's manager is not running or cannot be signalled
├── CannotWrite      a file, or the agent's own state, cannot be written or read
├── CheckerMissing   the program that checks a format is not installed
├── CommandFailed    a check or reload command failed, cannot be started, or timed out
├── FileTaken        another agent writes the same file
├── NothingToServe   the replica has not loaded a snapshot of the primary yet
├── RuntimeRefused   a running cache rejects an update, or differs from its file after it
├── TemporaryUnwritable  the folder for temporary files cannot be written
└── UnsupportedSystem  the agent does not run on this operating system
"""

from originmap.domain.errors import OriginmapError


class EdgeError(OriginmapError):
    """A cache cannot be updated, and keeps its current files."""

    page = "edge.md"

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


class CannotWake(EdgeError):
    """Traffic Server's manager is not running or cannot be signalled."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.hint = (
            "check the path of its manager.lock, and run the agent as root or as Traffic Server's"
            " user"
        )


class CannotWrite(EdgeError):
    """A file, or the agent's own state, cannot be written or read."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror or error}")
        self.path = path
        self.hint = "give the agent's user write permission"


class CheckerMissing(EdgeError):
    """The program that checks a format is not installed."""

    def __init__(self, format_: str, program: str) -> None:
        super().__init__(f"{program}, the checker for {format_}, is not installed")
        self.hint = "install it, or use --no-check and your own command with --check"


class CommandFailed(EdgeError):
    """A check or reload command failed, cannot be started, or timed out; `output` is the end of
    its output."""

    def __init__(self, command: str, reason: str, output: str = "") -> None:
        super().__init__(f"{command}: {reason}" + (f": {output}" if output else ""))
        self.reason, self.output = reason, output


class FileTaken(EdgeError):
    """Another agent writes the same file; `process` is its process ID, or "" if unknown."""

    def __init__(self, path: str, process: str) -> None:
        by = f" (process {process})" if process else ""
        super().__init__(f"another agent{by} writes {path}")
        self.path, self.process = path, process
        self.hint = "stop it, or use another file in --write FORMAT=PATH"


class NothingToServe(EdgeError):
    """The replica has not loaded a snapshot of the primary yet."""

    def __init__(self) -> None:
        super().__init__("no data from the primary yet")
        self.hint = "try again when the primary is reachable"


class RuntimeRefused(EdgeError):
    """A running cache rejects an update, or differs from its file after it."""


class TemporaryUnwritable(EdgeError):
    """The folder for temporary files cannot be written."""

    def __init__(self, error: OSError) -> None:
        path = f" {error.filename}" if error.filename else ""
        super().__init__(f"cannot write temporary files{path}: {error.strerror or error}")
        self.hint = "set TMPDIR to a folder that this user can write"


class UnsupportedSystem(EdgeError):
    """The agent does not run on this operating system."""

    def __init__(self) -> None:
        super().__init__("the edge agent needs Linux or macOS: it stops commands by process group")
        self.hint = "write the files with: originmap export"
