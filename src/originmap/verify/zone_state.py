"""The mappings of a zone, read whole, and the difference between two readings."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import msgspec

from originmap.client.envelope import PageInfo, read_envelope
from originmap.client.listing import MappingListing, read_whole
from originmap.verify.errors import ListRefused
from originmap.verify.probe import Probe, ServerAnswer

PER_PAGE = 100

Listed = dict[str, tuple[str, str]]
"""Vendor and region by address, as the server writes them."""


def read_zone(send: Callable[[Probe], ServerAnswer], path: str) -> Listed:
    """Every mapping of the zone whose mappings are at `path`. Raises ListRefused, ClientError."""

    def read(page: int) -> tuple[list[tuple[str, tuple[str, str]]], PageInfo]:
        answer = send(Probe("GET", f"{path}?page={page}&per_page={PER_PAGE}"))
        envelope = read_envelope(answer.body)
        if envelope is None:
            raise ListRefused(answer.status, "the answer is not from the v4 API")
        if answer.status != 200 or not envelope.success:
            reasons = "; ".join(f"{text} ({code})" for code, text in envelope.errors)
            raise ListRefused(answer.status, reasons or "no reason given")
        return _entries(answer), envelope.result_info

    what = "the list of the zone's mappings"
    return dict(read_whole(what, lambda: MappingListing(read, itemgetter(0), PER_PAGE)))


def changed(before: Listed, after: Listed) -> list[str]:
    """A line for each mapping of `before` that is gone or different in `after`."""
    return [
        f"{address}: was {vendor} {region}, "
        + (f"now {' '.join(after[address])}" if address in after else "now gone")
        for address, (vendor, region) in before.items()
        if after.get(address) != (vendor, region)
    ]


class _Entry(msgspec.Struct):
    origin_ip: str
    vendor: str
    region: str


class _List(msgspec.Struct):
    result: list[_Entry] | None = None


_LIST = msgspec.json.Decoder(_List)


def _entries(answer: ServerAnswer) -> list[tuple[Any, tuple[str, str]]]:
    try:
        listed = _LIST.decode(answer.body).result or []
    except msgspec.MsgspecError as error:
        raise ListRefused(answer.status, str(error)) from None
    return [(each.origin_ip, (each.vendor, each.region)) for each in listed]
