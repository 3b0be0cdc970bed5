"""A list that comes in pages: complete, or none.

A list is complete when as many items were read as the server announces (`total_count`). Without
an announcement it is complete when a further page brings nothing new, however small the pages
are. Whatever is short of that is read again, and refused in the end.
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
    """Not what was announced. `proved` if somebody changed the list while it was read."""

    def __init__(self, why: str, *, proved: bool = False) -> None:
        super().__init__(why)
        self.proved = proved


class MappingListing(Generic[T]):
    """One reading of a list, page by page, from the first one."""

    def __init__(self, read: Read[T], key: Callable[[T], Hashable], asked_per_page: int) -> None:
        self.items: dict[Hashable, T] = {}
        self.total: int | None = None
        self.complete = False
        self.short: _Short | None = None
        self.pages = 0
        self._read = read
        self._key = key
        self._asked = asked_per_page
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
            self._end(len(items) >= (info.per_page or self._asked))
        elif self.pages == _MOST_PAGES:
            raise _Short(f"it has no end after {self.pages:,} pages")

    def _note(self, info: PageInfo) -> None:
        if self._doubted or info.total_count is None:
            return
        if self.total not in (None, info.total_count):
            why = f"it had {self.total:,} items and then {info.total_count:,}"
            raise _Short(why, proved=True)
        self.total = info.total_count

    def _doubt(self, info: PageInfo, count: int) -> None:
        """Forget a total that is not one: fewer items than were read, or all of them read before
        the last page, or perhaps only those of the page, which is full and smaller than asked."""
        if self.total is None:
            return
        further = info.total_pages is not None and info.total_pages > self.pages
        smaller = info.per_page is not None and count == info.per_page < self._asked
        further = further or (smaller and self.pages == 1)
        found = len(self.items)
        if found > self.total or (found == self.total and further):
            self._doubted, self.total = True, None

    def _end(self, full: bool) -> None:
        """A page brought nothing new."""
        found = len(self.items)
        if self.total is not None and found < self.total:
            raise _Short(f"the server announced {self.total:,} items and gave {found:,}")
        if self._overlaps:
            raise _Short("pages of it overlap, and the server does not announce how many there are")
        if full and self.pages == 2:
            why = (
                "page 2 is page 1 again, and the server does not announce how many items there are"
            )
            raise _Short(why)
        self.complete = True


def read_whole(
    what: str, start: Callable[[], MappingListing[T]], begun: MappingListing[T] | None = None
) -> list[T]:
    """The items of a list; `begun` is a reading to go on with. Raises ListUnsteady when it kept
    changing, ListIncomplete when the server does not give what it announces, ClientError."""
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
