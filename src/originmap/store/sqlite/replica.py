"""The SQLite file of a replica, which a full sync can replace.

A file that is damaged or of a newer version is moved aside and replaced by an empty one. That is
done only to copies. A mark beside the file identifies a copy, because a damaged file cannot. The
database of a primary has no mark, and is never replaced.
"""

import logging
from pathlib import Path

from originmap.domain.errors import StoreUnusable
from originmap.store.sqlite.file import check_pages, set_aside
from originmap.store.sqlite.file_state import DAMAGED, mark_of
from originmap.store.sqlite.store import SqliteStore

_LOG = logging.getLogger(__name__)
_LARGEST_CHECKED = 256 << 20
"""Files up to this size are checked before use, which takes less than a second."""


def open_replica(path: Path, *, always_copy: bool) -> SqliteStore:
    """Open the store of a replica; a damaged file is replaced by an empty one.

    `always_copy` means that the file can only be a copy: it is in the folder of an agent, and
    deleted data is erased, so that nothing remains that the agent's token may no longer read.
    Raises StoreOwned, StoreUnusable.
    """
    is_copy = always_copy or mark_of(path).exists()
    try:
        if is_copy and _was_found_damaged(path):
            raise StoreUnusable(str(path), "it was damaged while in use", spoilt=True)
        if is_copy and path.exists() and path.stat().st_size <= _LARGEST_CHECKED:
            check_pages(path)
        store = SqliteStore(path, erases=always_copy)
    except StoreUnusable as error:
        if not error.spoilt or not is_copy:
            raise
        aside = set_aside(path)
        data = {"why": error.reason, "moved_to": str(aside)}
        _LOG.error("full sync: the copy of the primary cannot be used", extra={"data": data})
        store = SqliteStore(path, erases=always_copy)
    if store.is_replica or not store.revision:
        mark_of(path).touch(0o600)
        mark_of(path).write_text("")
    else:
        mark_of(path).unlink(missing_ok=True)  # left behind by another file at this path
    return store


def _was_found_damaged(path: Path) -> bool:
    mark = mark_of(path)
    return mark.exists() and mark.read_text("utf-8", "replace") == DAMAGED
