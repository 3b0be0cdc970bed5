"""What the agent last did for one cache, durably: which revision it serves, and what is on disk.

Kept in the agent's own state folder, since a cache may load whatever lies beside its files.
"""

from pathlib import Path

import msgspec

from originmap.atomic_file import replace_file
from originmap.edge.errors import CannotWrite


class AppliedState(msgspec.Struct, frozen=True):
    """`files` has the SHA-256 of each file as it was written last. `loaded` says whether the cache
    was told of them. `pending` has the files that a switch is about to replace, and of each
    whether it was there before: until it is empty again the switch counts as never made."""

    epoch: str = ""
    revision: int | None = None
    files: dict[str, str] = {}
    loaded: bool = False
    pending: dict[str, bool] = {}


class ApplyRecord:
    """One `AppliedState`, in a file."""

    def __init__(self, path: Path) -> None:
        """Raises CannotWrite. What cannot be read as a record counts as none: all is done anew."""
        self._path = path
        try:
            self.done = msgspec.json.decode(path.read_bytes(), type=AppliedState)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.done = AppliedState()
        except OSError as error:
            raise CannotWrite(str(path), error) from error

    def keep(self, done: AppliedState) -> None:
        """Replace it; on disk when this returns. Raises CannotWrite."""
        if done == self.done:
            return
        try:
            replace_file(self._path, [msgspec.json.encode(done)], 0o600)
        except OSError as error:
            raise CannotWrite(str(self._path), error) from error
        self.done = done
