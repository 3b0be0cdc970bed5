"""Reads a paginated list completely, or raises an error.

A list is complete when the number of items equals the server's `total_count`. If the server sends
no total, the list is complete when the next page has nothing new, whatever the size of the pages.
An incomplete list is read again, up to a number of tries.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from originmap.client.envelope import PageInfo
from originmap.client.errors import ListIncomplete, ListUnsteady

T = TypeVar("T")

Read = Callable[[int], tuple[list[T], PageInfo]]
"""Reads a page by its number from 1."""

_TRIES = 3
_MOST_PAGES = 10_000


class _Short(Exception):
    """A reading was incomplete. `proved` if the list certainly changed while it was read."""

    def __init__(self, why: str, *, proved: bool = False) -> None:
        super().__init__(why)
        self.proved = proved


class MappingListing(Generic[T]):
    """One reading of a list, page by page, from the first page."""

    def __init__(self, read: Read[T], key: Callable[[T], Hashable], per_page: int) -> None:
        self.items: dict[Hashable, T] = {}
        self.total: int | None = None
        self.complete = False
        self.short: _Short | None = None
        self.pages = 0
        self._read = read
        self._key = key
        self._per_page = per_page
        self._overlaps = self._doubted = False

    def read_page(self) -> None:
        """Read the next page. Raises ClientError."""
        try:
            self._read_page()
        except _Short as short:
            self.short = short

    def _read_page(self) -> None:
        self.pages += 1
        items, info = self._read(self.pages)
        self._note(info)
        before = len(self.items)
        self.items |= {self._key(item): item for item in items}
        fresh = len(self.items) - before
        if fresh and fresh < len(items):
            self._overlaps = True
        self._doubt(info, len(items))
        if self.total is not None and len(self.items) == self.total:
            self.complete = True
        elif not fresh:
            self._end(len(items) >= (info.per_page or self._per_page))
        elif self.pages == _MOST_PAGES:
            raise _Short(f"it has more than {self.pages:,} pages")

    def _note(self, info: PageInfo) -> None:
        if self._doubted or info.total_count is None:
            return
        if self.total not in (None, info.total_count):
            why = f"it had {self.total:,} items, then {info.total_count:,}"
            raise _Short(why, proved=True)
        self.total = info.total_count

    def _doubt(self, info: PageInfo, count: int) -> None:
        """Ignore a wrong total: one that is smaller than the number of items read, or reached
        before the last page, or perhaps the count of one page, which is full and smaller than
        requested."""
        if self.total is None:
            return
        further = info.total_pages is not None and info.total_pages > self.pages
        smaller = info.per_page is not None and count == info.per_page < self._per_page
        further = further or (smaller and self.pages == 1)
        items = len(self.items)
        if items > self.total or (items == self.total and further):
            self._doubted, self.total = True, None

    def _end(self, full: bool) -> None:
        """Finish after a page without new items. Raises _Short."""
        items = len(self.items)
        if self.total is not None and items < self.total:
            raise _Short(f"the server announced {self.total:,} items but sent {items:,}")
        if self._overlaps:
            raise _Short("its pages overlap, and the server does not send a total")
        if full and self.pages == 2:
            raise _Short("page 2 is page 1 again, and the server does not send a total")
        self.complete = True


def read_whole(
    what: str, start: Callable[[], MappingListing[T]], begun: MappingListing[T] | None = None
) -> list[T]:
    """The items of a list; `begun` is a reading to continue. Raises ListUnsteady if the list kept
    changing, ListIncomplete if the server sends fewer items than it announced, ClientError."""
    shorts: list[_Short] = []
    contents: list[set[Hashable]] = []
    for _ in range(_TRIES):
        listing, begun = begun or start(), None
        while not listing.complete and listing.short is None:
            listing.read_page()
        if listing.short is None:
            return list(listing.items.values())
        shorts.append(listing.short)
        contents.append(set(listing.items))
    if any(short.proved for short in shorts) or any(each != contents[0] for each in contents):
        raise ListUnsteady(what, str(shorts[-1]))
    raise ListIncomplete(what, str(shorts[-1]))
