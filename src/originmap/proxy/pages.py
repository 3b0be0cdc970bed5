"""Reads the complete list of a zone's mappings, as entries in the JSON of the API."""

import asyncio
from typing import NamedTuple

import msgspec

from originmap.client.envelope import read_envelope
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.proxy.call import ProxyCall
from originmap.proxy.upstream import Upstream, UpstreamAnswer

PER_PAGE = 100
_AT_ONCE = 5
_TRIES = 3

Entries = dict[Address, bytes]


class _Entry(msgspec.Struct):
    origin_ip: str


_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw] | None)
_ENTRY = msgspec.json.Decoder(_Entry)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Page(NamedTuple):
    entries: Entries
    items: int
    total: int


class PageRefused(Exception):
    """The API refused to list the mappings with this answer."""

    def __init__(self, answer: UpstreamAnswer) -> None:
        self.answer = answer


class NotListable(Exception):
    """The list cannot be used: it is too long, changes all the time, or has another form."""


async def read_entries(upstream: Upstream, call: ProxyCall, target: str) -> Entries:
    """The entries by address; `target` is the path of the list.

    Raises PageRefused, NotListable, NoAnswer, RateLimited.
    """
    for _ in range(_TRIES):
        first = await _page(upstream, call, target, 1)
        if first.total > MAX_MAPPINGS:
            raise NotListable
        pages = [first, *await _others(upstream, call, target, first.total)]
        entries: Entries = {}
        for page in pages:
            entries |= page.entries
        # A mapping that another client adds or removes shifts those behind it to other pages.
        steady = all(page.total == first.total for page in pages)
        if steady and len(entries) == sum(page.items for page in pages) == first.total:
            return entries
    raise NotListable


async def _others(upstream: Upstream, call: ProxyCall, target: str, total: int) -> list[_Page]:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def read(number: int) -> _Page:
        async with limit:
            return await _page(upstream, call, target, number)

    last = -(-total // PER_PAGE)
    tasks = [asyncio.create_task(read(number)) for number in range(2, last + 1)]
    try:
        return [await task for task in tasks]
    finally:  # of the pages behind one that failed
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _page(upstream: Upstream, call: ProxyCall, target: str, number: int) -> _Page:
    answer = await upstream.ask(call, "GET", f"{target}?page={number}&per_page={PER_PAGE}")
    envelope = read_envelope(answer.body)
    if answer.status != 200 or (envelope is not None and not envelope.success):
        raise PageRefused(answer)
    if envelope is None or envelope.result_info.total_count is None:
        raise NotListable
    try:
        raw = _ENTRIES.decode(envelope.result) or []
        entries = {addresses.parse(_ENTRY.decode(each).origin_ip): bytes(each) for each in raw}
    except (InvalidAddress, *_UNREADABLE):
        raise NotListable from None
    return _Page(entries, len(raw), envelope.result_info.total_count)
