"""The JSON of mappings: decoding of requests and encoding of entries.

A request is decoded into typed structs. If that fails, it is decoded again, member by member, to
find the error. The second decoder is authoritative; both treat duplicate, missing and mistyped
members alike.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from originmap.api.body import NOT_JSON, decode_json
from originmap.api.timestamps import timestamp
from originmap.domain.errors import InvalidBatch, UnknownRegion
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.batch import MAX_ITEMS, Item, Sent
from originmap.domain.mapping.mapping import Mapping


class _Request(msgspec.Struct, frozen=True):
    """A mapping in a request. Unknown members are ignored."""

    origin_ip: str
    vendor: str
    region: str


_REQUEST = msgspec.json.Decoder(_Request)
_REQUESTS = msgspec.json.Decoder(list[_Request])


def entry(mapping: Mapping) -> bytes:
    """Encode a mapping that is read."""
    return _cached_text(mapping).encode()


def written_entry(mapping: Mapping) -> bytes:
    """Encode a mapping that was just written. Each has a time of its own, so a cache would only
    lose those that are read."""
    return _text(mapping).encode()


def entries(mappings: Iterable[Mapping]) -> bytes:
    """Encode a list of mappings."""
    return f"[{','.join(map(_cached_text, mappings))}]".encode()


def _text(mapping: Mapping) -> str:
    # Formatted as text: encoding an object for each of a hundred mappings would take most of the
    # time of a list. None of the values can contain characters that JSON escapes.
    address, (vendor, region), modified_on, _ = mapping
    return (
        f'{{"modified_on":"{timestamp(modified_on)}","origin_ip":"{addresses.text(address)}",'
        f'"region":"{region}","vendor":"{vendor}"}}'
    )


# A zone has up to 3,500 mappings, which are read far more often than changed.
_cached_text = lru_cache(maxsize=8192)(_text)


def read_request(body: bytes) -> Sent:
    """The mapping in a body. Raises MalformedJSON, InvalidAddress for a body that is not an object
    with an `origin_ip`, and UnknownRegion for one without `vendor` or `region`."""
    try:
        return _REQUEST.decode(body)
    except (msgspec.ValidationError, *NOT_JSON):
        item = _item(decode_json(body))
        addresses.parse(item.origin_ip)
        if item.vendor is None or item.region is None:
            raise UnknownRegion(item.vendor, item.region) from None
        return item


def read_requests(body: bytes) -> Sequence[Sent]:
    """The mappings in a batch body. Raises MalformedJSON, InvalidBatch."""
    try:
        requests = _REQUESTS.decode(body)
    except (msgspec.ValidationError, *NOT_JSON):
        return [_item(value) for value in batch_of(body)]
    if not 1 <= len(requests) <= MAX_ITEMS:
        raise InvalidBatch
    return requests


def read_addresses(body: bytes) -> list[str | None]:
    """The addresses in a batch body; None for items that are not strings. Raises MalformedJSON,
    InvalidBatch."""
    return [string_of(value) for value in batch_of(body)]


def batch_of(body: bytes) -> list[object]:
    """The items in a batch body, of any type. Raises MalformedJSON, InvalidBatch."""
    values = decode_json(body)
    if not isinstance(values, list) or not 1 <= len(values) <= MAX_ITEMS:
        raise InvalidBatch
    return values


def _item(value: object) -> Item:
    if not isinstance(value, dict):
        return Item(None)
    return Item(*(string_of(value.get(name)) for name in ("origin_ip", "vendor", "region")))


def string_of(value: object) -> str | None:
    """`value` if it is a string, else None."""
    return value if isinstance(value, str) else None
