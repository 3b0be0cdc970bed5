"""What can stand against a cache's files being brought up to date.

EdgeError
├── CannotWake       Traffic Server's manager is not there, or takes no signal
├── CannotWrite      a file, or the agent's own state, cannot be written or read
├── CheckerMissing   the program that checks a format is not installed
├── CommandFailed    a check or a reload says no, cannot be started, or takes too long
├── FileTaken        another agent writes the same file
├── NothingToServe   there is no copy of the primary's state yet
├── RuntimeRefused   a running cache does not take, or does not have, what its file says
└── TemporaryUnwritable  no folder for temporary files can be written
"""

from originmap.domain.errors import OriginmapError


class EdgeError(OriginmapError):
    """A cache keeps what it has."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


class CannotWake(EdgeError):
    """Traffic Server's manager is not there, or takes no signal."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.hint = "name its manager.lock, and run the agent as root or as Traffic Server's user"


class CannotWrite(EdgeError):
    """A file, or the agent's own state, cannot be written or read."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror or error}")
        self.path = path
        self.hint = "let the agent's user write there"


class CheckerMissing(EdgeError):
    """The program that checks a format is not installed."""

    def __init__(self, format_: str, program: str) -> None:
        super().__init__(f"{program}, which checks {format_}, is not installed here")
        self.hint = "install it, or give --no-check, and --check with a command of your own"


class CommandFailed(EdgeError):
    """A check or a reload says no, cannot be started, or takes too long; `said` is the end of
    what it wrote."""

    def __init__(self, command: str, reason: str, said: str = "") -> None:
        super().__init__(f"{command}: {reason}" + (f": {said}" if said else ""))
        self.reason, self.said = reason, said


class FileTaken(EdgeError):
    """Another agent writes the same file; `process` is its number, or "" where that is unknown."""

    def __init__(self, path: str, process: str) -> None:
        by = f" (process {process})" if process else ""
        super().__init__(f"another agent{by} writes {path}")
        self.path, self.process = path, process
        self.hint = "stop it, or have one agent write each file: --write FORMAT=PATH"


class NothingToServe(EdgeError):
    """There is no copy of the primary's state yet."""

    def __init__(self) -> None:
        super().__init__("there is no copy of the primary's state yet")
        self.hint = "try again when the primary can be reached"


class RuntimeRefused(EdgeError):
    """A running cache does not take, or does not have, what its file says."""


class TemporaryUnwritable(EdgeError):
    """No folder for temporary files can be written."""

    def __init__(self, error: OSError) -> None:
        where = f" ({error.filename})" if error.filename else ""
        super().__init__(f"no temporary folder can be written: {error.strerror or error}{where}")
        self.hint = "set TMPDIR to a folder that this user may write"
