"""What can be wrong with the vendors' range files.

    RangesError
    ├── DamagedRanges     a file that cannot be used: `file` and `reason`
    ├── FewerRanges       a file with far fewer prefixes than the one it would replace
    ├── NoRanges          nothing was imported yet
    ├── NoRangesFolder    there is no home folder to keep files in, and no other was named
    ├── RangesUnwritable  the folder that keeps the files cannot be written
    └── DownloadFailed    a vendor's server did not give its file: `url` and `reason`

None of them becomes an answer of the API: they end a command, or keep a table from being replaced.
"""

from originmap.domain.errors import OriginmapError


class RangesError(OriginmapError):
    """The vendors' ranges could not be read, kept or fetched. What was kept before is as it was."""


class DamagedRanges(RangesError):
    """A file that is no vendor's list of ranges, or one that contradicts itself or another."""

    def __init__(self, file: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
        self.hint = hint


class FewerRanges(RangesError):
    """A file with far fewer prefixes than the one it would replace."""

    def __init__(self, file: str, vendor: str, before: int, after: int) -> None:
        super().__init__(f"{file}: {after:,} prefixes of {vendor}, where {before:,} are known")
        self.file = file
        self.before = before
        self.after = after
        self.hint = "if that is what the vendor published, give --allow-fewer"


class NoRanges(RangesError):
    """There is no file of any vendor."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"there are no published ranges in {folder}")
        self.folder = folder
        self.hint = "originmap ranges fetch gets them, originmap ranges import takes files"


class NoRangesFolder(RangesError):
    """There is no home folder to keep files in, and no other was named."""

    def __init__(self) -> None:
        super().__init__("this user has no home folder that could keep the published ranges")
        self.hint = "set XDG_STATE_HOME, or give a folder with --ranges or ORIGINMAP_RANGES"


class RangesUnwritable(RangesError):
    """The folder that keeps the files cannot be made or written."""

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(f"cannot keep ranges in {folder}: {reason}")
        self.folder = folder
        self.hint = "give another folder with --ranges or ORIGINMAP_RANGES"


class DownloadFailed(RangesError):
    """A server did not give the file in time, in bounds, or at all."""

    def __init__(self, url: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason
        self.hint = hint
