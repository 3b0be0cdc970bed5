"""The JSON of mappings: reading requests and writing entries.

A request is read straight into typed structs; only when that fails is it read again, piece by
piece, to find out what is wrong with it. The second way is the one that decides: duplicate
members, missing ones and ones of a wrong type come out the same by both.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from originmap.domain import address as addresses
from originmap.domain.batch import MAX_ITEMS, Item
from originmap.domain.errors import InvalidBatch, MalformedJSON, UnknownRegion
from originmap.domain.mapping import Mapping

_EPOCH = datetime(1970, 1, 1)


class Entry(msgspec.Struct):
    """A mapping as it is answered."""

    modified_on: str
    origin_ip: str
    region: str
    vendor: str


class _Request(msgspec.Struct):
    """A mapping as it is sent. Unknown members are ignored."""

    origin_ip: str
    vendor: str
    region: str


_REQUEST = msgspec.json.Decoder(_Request)
_REQUESTS = msgspec.json.Decoder(list[_Request])
_ANYTHING = msgspec.json.Decoder()


def entry(mapping: Mapping) -> Entry:
    """How `mapping` is answered."""
    vendor, region = mapping.place
    return Entry(timestamp(mapping.modified_on), addresses.text(mapping.address), region, vendor)


def timestamp(microseconds: int) -> str:
    """RFC 3339, UTC, with microseconds: 2026-03-01T12:00:00.000000Z."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_to_the_second(seconds)}.{rest:06}Z"


@lru_cache(maxsize=4096)  # a page of a list was often written within a second
def _to_the_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def read_request(body: bytes) -> Item:
    """The mapping in a body. Raises MalformedJSON, InvalidAddress for a body that is no object
    with an `origin_ip`, and UnknownRegion for one without `vendor` or `region`."""
    try:
        request = _REQUEST.decode(body)
    except (msgspec.ValidationError, *_NOT_JSON):
        item = _item(_decode(body))
        addresses.parse(item.origin_ip)
        if item.vendor is None or item.region is None:
            raise UnknownRegion(item.vendor, item.region) from None
        return item
    return Item(request.origin_ip, request.vendor, request.region)


def read_requests(body: bytes) -> list[Item]:
    """The mappings in a batch body. Raises MalformedJSON, InvalidBatch."""
    try:
        requests = _REQUESTS.decode(body)
    except (msgspec.ValidationError, *_NOT_JSON):
        return [_item(value) for value in _batch(body)]
    if not 1 <= len(requests) <= MAX_ITEMS:
        raise InvalidBatch
    return [Item(r.origin_ip, r.vendor, r.region) for r in requests]


def read_addresses(body: bytes) -> list[str | None]:
    """The addresses in a batch body, None for what is no string. Raises as read_requests."""
    return [_string(value) for value in _batch(body)]


def _batch(body: bytes) -> list[Any]:
    values = _decode(body)
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_ITEMS:
        raise InvalidBatch
    return values


# msgspec raises UnicodeDecodeError on bad UTF-8, and RecursionError on deep nesting.
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _decode(body: bytes) -> Any:
    """The value in a body, None for an absent body."""
    if not body:
        return None
    try:
        return _ANYTHING.decode(body)
    except _NOT_JSON:
        raise MalformedJSON from None


def _item(value: Any) -> Item:
    if not isinstance(value, dict):
        return Item(None)
    return Item(*(_string(value.get(name)) for name in ("origin_ip", "vendor", "region")))


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
