"""Errors of the vendors' range files.

    RangesError
    ├── DamagedRanges     a file cannot be used: `file` and `reason`
    ├── FewerRanges       a file has far fewer prefixes than the one that it replaces
    ├── NoRanges          no file was imported yet
    ├── NoRangesFolder    no folder is set and the user has no home folder
    ├── RangesUnwritable  the folder of the files cannot be written
    └── DownloadFailed    a file cannot be downloaded: `url` and `reason`

No API response contains them: they end a command, or the server keeps its current ranges.
"""

from originmap.domain.errors import OriginmapError


class RangesError(OriginmapError):
    """The vendors' ranges cannot be read, stored or downloaded. The stored files are unchanged."""

    page = "detection.md"


class DamagedRanges(RangesError):
    """A file is not a vendor's list of ranges, or contradicts itself or another file."""

    def __init__(self, file: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason
        self.hint = hint


class FewerRanges(RangesError):
    """A file has far fewer prefixes than the one that it replaces."""

    def __init__(self, file: str, vendor: str, before: int, after: int) -> None:
        super().__init__(
            f"{file}: {after:,} prefixes of {vendor}, but the stored file has {before:,}"
        )
        self.file = file
        self.before = before
        self.after = after
        self.hint = "if the vendor published it so, use --allow-fewer"


class NoRanges(RangesError):
    """No file of any vendor was imported yet."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"no published IP ranges in {folder}")
        self.folder = folder
        self.hint = (
            "run originmap ranges fetch, or originmap ranges import FILE, or install"
            " originmap[ranges]"
        )


class NoRangesFolder(RangesError):
    """No folder is set, and the user has no home folder."""

    def __init__(self) -> None:
        super().__init__("no folder for the published IP ranges: this user has no home folder")
        self.hint = "set --ranges, ORIGINMAP_RANGES or XDG_STATE_HOME to a folder"


class RangesUnwritable(RangesError):
    """The folder of the files cannot be created or written."""

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(f"cannot store IP ranges in {folder}: {reason}")
        self.folder = folder
        self.hint = "set --ranges or ORIGINMAP_RANGES to another folder"


class DownloadFailed(RangesError):
    """A file cannot be downloaded within the limits of time and size."""

    def __init__(self, url: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.reason = reason
        self.hint = hint
