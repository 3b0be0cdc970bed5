"""A batch of writes for the API, and what its response says of each of them.

Items that succeeded have no `modified_on` (published), which the response to a single PUT has;
items that failed have a text, but neither the status nor the code of a single call.
"""

import datetime
import email.utils
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from originmap.client.envelope import read_envelope
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.proxy.upstream import UpstreamAnswer

_MARGIN = datetime.timedelta(seconds=2)
_FULL = 1164
"""The zone has no room for the whole batch: perhaps for a part of it."""
_THROTTLED = {971, 10429}
"""Codes of rate limits; 971 also occurs with status 200."""


class WrittenItem(msgspec.Struct):
    """A mapping that was written or deleted."""

    origin_ip: str
    vendor: str | None = None
    region: str | None = None
    modified_on: str | None = None


class _FailedItem(msgspec.Struct):
    origin_ip: object = None


class _Result(msgspec.Struct):
    succeeded: list[WrittenItem] | None = None
    failed: list[_FailedItem] | None = None


class BatchItems(NamedTuple):
    """The items of a response by their addresses."""

    succeeded: dict[Address, WrittenItem]
    failed: set[Address]


class _Dated(msgspec.Struct):
    modified_on: str | None = None


_RESULT = msgspec.json.Decoder(_Result | None)
_DATED = msgspec.json.Decoder(_Dated | None)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class BatchVerdict(Enum):
    """What becomes of the calls of a batch."""

    EACH = auto()  # those that succeeded are answered, the others are sent singly
    SINGLY = auto()  # the batch was refused, but not what it consists of
    RELAYED = auto()  # the refusal is the answer to each call


def verdict(answer: UpstreamAnswer) -> BatchVerdict:
    """What the response to a batch means for its calls."""
    read = read_envelope(answer.body)
    if answer.status == 200 and read is not None and read.success:
        return BatchVerdict.EACH
    codes = {code for code, _ in read.errors} if read is not None else set()
    final = answer.status in (401, 403, 429) or answer.status >= 500 or codes & _THROTTLED
    return BatchVerdict.RELAYED if final and _FULL not in codes else BatchVerdict.SINGLY


def items_of(answer: UpstreamAnswer) -> BatchItems:
    """The items of the response to a batch; none if it has another form."""
    read = read_envelope(answer.body)
    try:
        result = _RESULT.decode(read.result) if read is not None else None
    except _UNREADABLE:
        result = None
    result = result or _Result()
    succeeded = ((_address(item.origin_ip), item) for item in result.succeeded or [])
    failed = (_address(item.origin_ip) for item in result.failed or [])
    return BatchItems(
        {address: item for address, item in succeeded if address},
        {address for address in failed if address},
    )


def _address(text: object) -> Address | None:
    try:
        return addresses.parse(text)
    except InvalidAddress:
        return None


def modified_on(answer: UpstreamAnswer) -> str | None:
    """The time in the response to a GET of a mapping, if it has one."""
    read = read_envelope(answer.body)
    if answer.status != 200 or read is None:
        return None
    try:
        entry = _DATED.decode(read.result)
    except _UNREADABLE:
        return None
    return entry.modified_on if entry is not None else None


def is_older(changed: str, answer: UpstreamAnswer, seconds: float) -> bool:
    """Whether a mapping was last changed before the batch that `answer` responds to, and that took
    `seconds`: then its PUT changed nothing. The clock is that of the API."""
    try:
        ended = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
        return datetime.datetime.fromisoformat(changed) < (
            ended - datetime.timedelta(seconds=seconds) - _MARGIN
        )
    except (ValueError, TypeError):  # no date, or one without a time zone
        return False
