"""The durable record of one cache: the revision it serves and the marks of its files.

It is stored in the agent's state folder, because a cache may load any file in its own folder.
"""

from pathlib import Path

import msgspec

from originmap.atomic_file import replace_file
from originmap.edge.errors import CannotWrite


class AppliedState(msgspec.Struct, frozen=True):
    """`files` has the mark (`disk.mark_of`) of each file as last written; `loaded` says whether the
    cache has loaded them. `pending` has the files of a switch in progress, and whether each existed
    before; until it is empty, the switch can be undone."""

    epoch: str = ""
    revision: int | None = None
    files: dict[str, str] = {}
    loaded: bool = False
    pending: dict[str, bool] = {}


class ApplyRecord:
    """One `AppliedState`, in a file."""

    def __init__(self, path: Path) -> None:
        """Load the record. A missing or invalid file is an empty record, so that the next update
        does everything. Raises CannotWrite."""
        self._path = path
        try:
            self.state = msgspec.json.decode(path.read_bytes(), type=AppliedState)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.state = AppliedState()
        except OSError as error:
            raise CannotWrite(str(path), error) from error

    def save(self, state: AppliedState) -> None:
        """Save a state durably. Raises CannotWrite."""
        if state == self.state:
            return
        try:
            replace_file(self._path, [msgspec.json.encode(state)], 0o600)
        except OSError as error:
            raise CannotWrite(str(self._path), error) from error
        self.state = state
