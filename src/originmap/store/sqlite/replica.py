"""The SQLite file of a replica: a copy that can be fetched again, and so is never worth an end.

A file that turns out to be damaged, or of a newer version, is moved aside, and an empty one takes
its place. That is done only to what is known to be a copy: a mark beside the file says so, since a
damaged file itself says nothing. The database of a primary has none, and is never touched.
"""

import logging
from pathlib import Path

from originmap.domain.errors import StoreUnusable
from originmap.store.sqlite.file import check_pages, set_aside
from originmap.store.sqlite.file_state import DAMAGED, mark_of
from originmap.store.sqlite.store import SqliteStore

_LOG = logging.getLogger(__name__)
_LARGEST_CHECKED = 256 << 20
"""Bytes of a file that is looked through before it is used: that takes less than a second."""


def open_replica(path: Path, *, always_copy: bool) -> SqliteStore:
    """The store in the file of a replica, empty where it was damaged. `always_copy` says that
    nothing but a copy can be there: in the folder of an agent, which keeps nothing of what its
    token does not show any more. Raises StoreOwned, StoreUnusable."""
    is_copy = always_copy or mark_of(path).exists()
    try:
        if is_copy and _was_found_damaged(path):
            raise StoreUnusable(str(path), "it was found to be damaged while in use", spoilt=True)
        if is_copy and path.exists() and path.stat().st_size <= _LARGEST_CHECKED:
            check_pages(path)
        store = SqliteStore(path, erases=always_copy)
    except StoreUnusable as error:
        if not error.spoilt or not is_copy:
            raise
        aside = set_aside(path)
        data = {"why": error.reason, "moved_to": str(aside)}
        _LOG.error("the copy of the primary is fetched again", extra={"data": data})
        store = SqliteStore(path, erases=always_copy)
    if store.is_replica or not store.revision:
        mark_of(path).touch(0o600)
        mark_of(path).write_text("")
    else:
        mark_of(path).unlink(missing_ok=True)  # it was of another file that was here
    return store


def _was_found_damaged(path: Path) -> bool:
    mark = mark_of(path)
    return mark.exists() and mark.read_text("utf-8", "replace") == DAMAGED
