"""Reads the envelope of v4 API responses leniently.

Services behind the API differ: some write null for an empty list, omit members, or write numbers
as strings. Only the members that say whether a request succeeded are required.
"""

import codecs
from dataclasses import dataclass

import msgspec

_NULL = msgspec.Raw(b"null")
_MISSING = msgspec.Raw(b"")
_CAUSES = 3
"""Maximum number of causes in an error message."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """A page's information on the whole list; None for members that are missing."""

    total_count: int | None = None
    total_pages: int | None = None
    per_page: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A complete response; the caller decodes `result`. An error is a code (0 if it has none) and
    a text."""

    success: bool
    result: msgspec.Raw
    result_info: PageInfo
    errors: list[tuple[int, str]]
    has_result: bool
    """Whether the response has a `result`, even if it is null."""


class _Wrapped(msgspec.Struct):
    success: bool | None = None
    result: msgspec.Raw = _MISSING
    result_info: msgspec.Raw = _NULL
    errors: msgspec.Raw = _NULL


_WRAPPED = msgspec.json.Decoder(_Wrapped, strict=False)


def read_envelope(body: bytes) -> Envelope | None:
    """Decode a body; None if it is not a response of the v4 API."""
    try:
        wrapped = _WRAPPED.decode(body.removeprefix(codecs.BOM_UTF8))
        errors = _errors(msgspec.json.decode(wrapped.errors))
        info = _info(msgspec.json.decode(wrapped.result_info))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    missing = wrapped.result is _MISSING
    if wrapped.success is None and missing:
        return None
    success = not errors if wrapped.success is None else wrapped.success
    result = _NULL if missing else wrapped.result
    return Envelope(success, result, info, errors, has_result=not missing)


def _errors(value: object) -> list[tuple[int, str]]:
    if value is None:
        return []
    return [_error(each) for each in (value if isinstance(value, list) else [value])]


def _error(value: object) -> tuple[int, str]:
    if isinstance(value, dict):
        chain = value.get("error_chain")
        causes = [_error(each)[1] for each in chain[:_CAUSES]] if isinstance(chain, list) else []
        texts = [str(value.get("message") or ""), *causes]
        return _number(value.get("code")) or 0, on_one_line(": ".join(filter(None, texts)))
    return 0, on_one_line(str(value))


def reason(value: object) -> str:
    """The text of an error in any form: a text, an object with a message, or a list of these."""
    return "; ".join(text for _, text in _errors(value))


def on_one_line(text: str) -> str:
    """Untrusted text without line breaks and terminal control characters."""
    return "".join(each if each.isprintable() else " " for each in text).strip()


def _info(value: object) -> PageInfo:
    if not isinstance(value, dict):
        return PageInfo()
    names = ("total_count", "total_pages", "per_page")
    return PageInfo(*(_number(value.get(name)) for name in names))


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
