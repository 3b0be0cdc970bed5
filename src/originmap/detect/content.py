"""The bytes of a range file, from a disk or a server, plain or gzip, never more than fits.

Owns the bounds: neither a file of any size nor a small one that unpacks to any size costs more
memory than MAX_BYTES. What the bytes say is left to the readers.
"""

import datetime
import gzip
import io
import zlib
from pathlib import Path
from typing import NamedTuple

from originmap.detect.errors import DamagedRanges
from originmap.domain.encoding import NotText, decode

MAX_BYTES = 32 << 20
"""What a file may have, before and after unpacking; the largest published one has 4 MiB."""

_GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1


class Content(NamedTuple):
    """A file's bytes, unpacked.

    `name` is what errors call it, a path or a URL. `modified` is when it was last changed, to
    the second, which dates a file that does not say itself when it was published.
    """

    name: str
    data: bytes
    modified: datetime.datetime


def read_file(path: Path) -> Content:
    """A file of the disk. Raises DamagedRanges."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
            modified = datetime.datetime.fromtimestamp(int(path.stat().st_mtime), datetime.UTC)
    except OSError as error:
        raise DamagedRanges(str(path), error.strerror or str(error)) from error
    return Content(str(path), utf8(str(path), unpacked(str(path), data)), modified)


def unpacked(name: str, data: bytes) -> bytes:
    """The bytes as they are, or what they unpack to. Raises DamagedRanges."""
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedRanges(name, f"damaged gzip: {error}") from error
    if len(data) > MAX_BYTES:
        raise DamagedRanges(
            name, f"it has more than {MAX_BYTES >> 20} MiB; no range file is so large"
        )
    return data


def utf8(name: str, data: bytes) -> bytes:
    """A text in UTF-8 without a byte order mark, whatever it was in. Raises DamagedRanges."""
    try:
        return decode(data).encode()
    except NotText as error:
        raise DamagedRanges(name, str(error)) from None
