"""Files of caches for tests."""

import codecs
from pathlib import Path

import pytest

from originmap.cachefile.draft import CacheDraft
from originmap.cachefile.reader import read_caches
from originmap.domain.tier.cache import Cache
from originmap.mapfile.errors import MapFileError

ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}


def read(folder: Path, name: str, text: str, **options: str) -> CacheDraft:
    """Read a file with this text."""
    file = folder / name
    file.write_text(text, "utf-8")
    return read_caches(file, **options)


def caches(draft: CacheDraft) -> dict[str, tuple[str | None, Cache]]:
    """The caches of a file as new ones, with their colos."""
    return {e.name: (e.change.colo, e.change.of(e.name)) for e in draft.entries.values()}


def refusal(folder: Path, name: str, text: str, **options: str) -> list[str]:
    """The lines of the error about a file, without its folder."""
    with pytest.raises(MapFileError) as refused:
        read(folder, name, text, **options)
    return str(refused.value).replace(f"{folder}/", "").splitlines()
