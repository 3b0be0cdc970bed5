"""Stores the vendors' files: a folder with one file per vendor, and a note beside each.

    aws.json.gz    the file as published, compressed; linode.csv.gz of a geofeed
    aws.about.json its source, its checksum, the validators for the next download

Files are replaced atomically, and only after all files of one import are valid, also together with
the stored ones. A note is used only if its checksum matches the file, so a crash between the two
writes only causes another download.
"""

import datetime
import gzip
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from originmap.atomic_file import replace_file
from originmap.detect import content, reader
from originmap.detect.content import Content
from originmap.detect.errors import DamagedRanges, FewerRanges, RangesUnwritable
from originmap.domain.detection.ranges import Publication, RangeConflict, RangeTable
from originmap.domain.mapping.own_regions import is_name

_GEOFEED = ".csv.gz"
LEAST_SHARE = 0.7
"""Minimum number of prefixes of a new file, as a share of those in the stored file."""
_MODE = 0o644


@dataclass(frozen=True, slots=True)
class FileSource:
    """The URL of a download, and the validators for the next conditional request."""

    url: str
    etag: str | None
    last_modified: str | None


class Note(msgspec.Struct, frozen=True):
    """Information on a stored file. `sha256` is the digest of the decompressed content."""

    sha256: str
    kept_at: datetime.datetime
    modified: datetime.datetime
    name: str
    origin: FileSource | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored file. `note` is None if another program put the file there."""

    publication: Publication
    path: Path
    note: Note | None


class RangeFiles:
    """The folder of the vendors' files."""

    def __init__(self, folder: Path, now: Callable[[], datetime.datetime]) -> None:
        self._folder = folder
        self.now = now

    @property
    def folder(self) -> Path:
        """The path of the folder."""
        return self._folder

    def kept(self) -> list[Kept]:
        """Every stored file, by vendor. Raises DamagedRanges."""
        return [self._read(vendor) for vendor in self._vendors() if self._exists(vendor)]

    def table(self) -> RangeTable:
        """The table of all stored files; empty if there are none. Raises DamagedRanges."""
        return self._together([each.publication for each in self.kept()], str(self._folder))

    def note(self, vendor: str) -> Note | None:
        """The note of a vendor's file; None if the file or its note is missing or damaged."""
        try:
            return self._note(vendor, content.read_file(self._path(vendor)))
        except DamagedRanges:
            return None

    def keep(
        self,
        contents: Iterable[Content],
        *,
        allow_fewer: bool = False,
        expected: str | None = None,
        origin: FileSource | None = None,
    ) -> list[Kept]:
        """Store files, replacing those of the same vendors. Returns them in the same order.

        With `expected`, the files must be of that vendor; it is needed for geofeeds. Raises
        DamagedRanges, FewerRanges unless `allow_fewer`, RangesUnwritable. After the first two,
        nothing is changed.
        """
        new: dict[str, tuple[Content, Publication]] = {}
        for each in contents:
            publication = reader.read(each, expected)
            vendor = publication.vendor
            if expected not in (None, vendor):
                raise DamagedRanges(each.name, f"it lists the ranges of {vendor}, not {expected}")
            first, _ = new.setdefault(vendor, (each, publication))
            if first is not each:
                reason = f"it lists the ranges of {vendor}, like {first.name}"
                raise DamagedRanges(each.name, reason, "import one file per vendor")
        self._check(new, allow_fewer)
        return [self._write(each, publication, origin) for each, publication in new.values()]

    def _check(self, new: dict[str, tuple[Content, Publication]], allow_fewer: bool) -> None:
        together = [publication for _, publication in new.values()]
        for vendor in sorted({*self._vendors(), *new}):
            before = self._before(vendor, replaced=vendor in new)
            if before is None:
                continue
            if vendor not in new:
                together.append(before)
                continue
            each, publication = new[vendor]
            counts = len(before.ranges), len(publication.ranges)
            if counts[1] < counts[0] * LEAST_SHARE and not allow_fewer:
                raise FewerRanges(each.name, vendor, *counts)
        self._together(together, ", ".join(each.name for each, _ in new.values()))

    def _before(self, vendor: str, *, replaced: bool) -> Publication | None:
        """The stored ranges of a vendor. A damaged file that is `replaced` is ignored."""
        if not self._exists(vendor):
            return None
        try:
            return self._read(vendor).publication
        except DamagedRanges:
            if replaced:
                return None
            raise

    def _together(self, publications: Iterable[Publication], name: str) -> RangeTable:
        try:
            return RangeTable(publications)
        except RangeConflict as error:
            hint = "import or fetch the newest files of both vendors together"
            raise DamagedRanges(name, str(error), hint) from error

    def _path(self, vendor: str) -> Path:
        suffix = ".json.gz" if vendor in reader.JSON_VENDORS else _GEOFEED
        return self._folder / f"{vendor}{suffix}"

    def _vendors(self) -> list[str]:
        """The vendors that can have a file: those of JSON files, and of the geofeeds here."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            names = []  # reading a file tells why
        feeds = {name.removesuffix(_GEOFEED) for name in names if name.endswith(_GEOFEED)}
        return sorted({*reader.JSON_VENDORS, *filter(is_name, feeds)})

    def _exists(self, vendor: str) -> bool:
        path = self._path(vendor)
        try:
            return path.exists()
        except OSError as error:
            hint = "give this user read permission, or set --ranges to another folder"
            raise DamagedRanges(str(path), error.strerror or str(error), hint) from error

    def _about(self, vendor: str) -> Path:
        return self._folder / f"{vendor}.about.json"

    def _read(self, vendor: str) -> Kept:
        path = self._path(vendor)
        file = content.read_file(path)
        note = self._note(vendor, file)
        modified = note.modified if note else file.modified
        publication = reader.read(Content(str(path), file.data, modified), vendor)
        if publication.vendor != vendor:
            raise DamagedRanges(str(path), f"it lists the ranges of {publication.vendor}")
        return Kept(publication, path, note)

    def _note(self, vendor: str, file: Content) -> Note | None:
        try:
            note = msgspec.json.decode(self._about(vendor).read_bytes(), type=Note)
        except (OSError, ValueError):
            return None
        return note if note.sha256 == hashlib.sha256(file.data).hexdigest() else None

    def _write(self, each: Content, publication: Publication, origin: FileSource | None) -> Kept:
        vendor = publication.vendor
        note = Note(
            hashlib.sha256(each.data).hexdigest(),
            self.now(),
            # The date of a file without one may come from its name, which is not stored.
            publication.published,
            each.name,
            origin,
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path(vendor), [gzip.compress(each.data, 6, mtime=0)], _MODE)
            replace_file(self._about(vendor), [msgspec.json.encode(note)], _MODE)
        except OSError as error:
            raise RangesUnwritable(str(self._folder), error.strerror or str(error)) from error
        return Kept(publication, self._path(vendor), note)
