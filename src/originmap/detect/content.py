"""The content of a range file, from disk or from a server, plain or gzip, up to a size limit.

Owns the limit: no file uses more memory than MAX_BYTES, compressed or decompressed. The readers
parse the content.
"""

import datetime
import gzip
import io
import zlib
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta

from originmap.detect.errors import DamagedRanges
from originmap.domain.encoding import NotText, decode

MAX_BYTES = 32 << 20
"""Limit of a file, compressed and decompressed; the largest published file has 4 MiB."""

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_. -]{1,100}\Z")]
"""A region, service, tag or border group in a file: short and printable."""

_GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1


class Content(NamedTuple):
    """A file's decompressed content.

    `name` is its path or URL, for errors. `modified` is its modification time in seconds, used as
    the date of a file that has no publication date.
    """

    name: str
    data: bytes
    modified: datetime.datetime


def read_file(path: Path) -> Content:
    """Read a file from disk. Raises DamagedRanges."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            modified = datetime.datetime.fromtimestamp(int(path.stat().st_mtime), datetime.UTC)
    except OSError as error:
        raise DamagedRanges(str(path), error.strerror or str(error)) from error
    return Content(str(path), utf8(str(path), unpacked(str(path), data)), modified)


def unpacked(name: str, data: bytes) -> bytes:
    """Decompress the data if it is gzip. Raises DamagedRanges."""
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedRanges(name, f"damaged gzip: {error}") from error
    if len(data) > MAX_BYTES:
        raise DamagedRanges(
            name, f"it has more than {MAX_BYTES >> 20} MiB, the limit of a range file"
        )
    return data


def utf8(name: str, data: bytes) -> bytes:
    """Convert a text to UTF-8 without a byte order mark. Raises DamagedRanges."""
    try:
        return decode(data).encode()
    except NotText as error:
        raise DamagedRanges(name, str(error)) from None
