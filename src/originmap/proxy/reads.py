"""Answers reads of single mappings from a complete list, which is read once for all of them.

A list belongs to a credential and a zone. It is used for a limited time, and until a write to the
zone with any credential is answered. A list costs up to 35 requests, so the first reads of a zone
after each of these are forwarded.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from originmap.api import envelope
from originmap.api.http.response import Response
from originmap.domain.mapping.address import Address
from originmap.proxy.call import ProxyCall
from originmap.proxy.pages import Entries, NotListable, PageRefused, read_entries
from originmap.proxy.upstream import Upstream

FORWARDED_FIRST = 2
"""Reads of a zone that are forwarded before its list is read."""

MOST_LISTS = 100
_MOST_VIEWS = MOST_ZONES = 10_000


class ListKey(NamedTuple):
    """The digest of a credential, and a zone."""

    credential: bytes
    zone_id: str


class _View:
    """What is known of a zone with one credential, from a write (its number) to a time."""

    def __init__(self, since: int, until: float) -> None:
        self.since = since
        self.until = until
        self.forwarded = 0
        self.entries: Entries | None = None
        self.reading: asyncio.Task[Entries] | None = None
        self.unlistable = False


class MappingReads:
    """The lists."""

    def __init__(self, upstream: Upstream, fresh: float) -> None:
        """`fresh` is the time that a list is used, in seconds."""
        self._upstream = upstream
        self._fresh = fresh
        self._now = asyncio.get_running_loop().time
        self._views: OrderedDict[ListKey, _View] = OrderedDict()
        self._writes = 0  # numbers writes
        self._written: dict[str, int] = {}  # the last write of a zone
        self._written_all = 0

    def invalidate(self, zone_id: str | None) -> None:
        """Forget the lists of a zone, or of all zones, after a write."""
        self._writes += 1
        if zone_id is None or len(self._written) >= MOST_ZONES:
            self._written_all = self._writes
            self._written.clear()
        if zone_id is not None:
            self._written[zone_id] = self._writes

    def known(self, call: ProxyCall, zone_id: str, address: Address) -> Response | None:
        """The response from a list that has been read already."""
        view = self._view(ListKey(call.credential, zone_id))
        entry = view.entries.get(address) if view.entries is not None else None
        return None if entry is None else _single(entry)

    async def read(self, call: ProxyCall, zone_id: str, address: Address, target: str) -> Response:
        """The response to a read of a mapping; `target` is the path of the list. Raises NoAnswer,
        RateLimited."""
        view = self._view(ListKey(call.credential, zone_id))
        if view.unlistable or (view.entries is None and view.forwarded < FORWARDED_FIRST):
            view.forwarded += 1
            return await self._upstream.forward(call)
        try:
            entries = await self._list(view, call, target)
        except NotListable:
            return await self._upstream.forward(call)
        except PageRefused as refused:
            if refused.answer.status >= 500 or refused.answer.status == 429:
                return refused.answer.relayed()
            return await self._upstream.forward(call)
        entry = entries.get(address)
        return await self._upstream.forward(call) if entry is None else _single(entry)

    async def _list(self, view: _View, call: ProxyCall, target: str) -> Entries:
        if view.entries is not None:
            return view.entries
        if view.reading is None:
            view.reading = asyncio.create_task(self._read_list(view, call, target))
        return await asyncio.shield(view.reading)

    async def _read_list(self, view: _View, call: ProxyCall, target: str) -> Entries:
        try:
            view.entries = await read_entries(self._upstream, call, target)
        except NotListable:
            view.unlistable = True
            raise
        except PageRefused as refused:
            view.unlistable = refused.answer.status < 500 and refused.answer.status != 429
            raise
        finally:
            view.reading = None
            view.until = self._now() + self._fresh
        self._make_room()
        return view.entries

    def _view(self, key: ListKey) -> _View:
        """The view of a zone, a new one after a write or when the time is over. A list that is
        being read then still answers those that wait for it: they asked before."""
        written = max(self._written.get(key.zone_id, 0), self._written_all)
        view = self._views.get(key)
        if view is None or view.since < written or self._is_over(view):
            view = self._views[key] = _View(self._writes, self._now() + self._fresh)
            if len(self._views) > _MOST_VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return view

    def _is_over(self, view: _View) -> bool:
        return view.reading is None and view.until <= self._now()

    def _make_room(self) -> None:
        """Drop lists whose time is over, and the longest unused ones beyond `MOST_LISTS`."""
        lists = [key for key, view in self._views.items() if view.entries is not None]
        over = [key for key in lists if self._is_over(self._views[key])]
        for key in {*over, *lists[:-MOST_LISTS]}:
            del self._views[key]


def _single(entry: bytes) -> Response:
    return Response(envelope.success_json(entry))
