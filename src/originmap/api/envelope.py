"""The v4 envelope: `errors`, `messages`, `result`, `success` around every response.

Members are in the order of the published examples. Published in the API's schemas as
"api-response-common".
"""

from collections.abc import Sequence

import msgspec


class Message(msgspec.Struct, omit_defaults=True):
    """An entry of `errors` or `messages`; `hint` is for the operator on the server's machine."""

    code: int
    message: str
    error_chain: list["Message"] = []
    hint: str = ""


class Success(msgspec.Struct):
    """A response with a result."""

    errors: list[Message]
    messages: list[Message]
    result: object
    success: bool


class ResultInfo(msgspec.Struct):
    """The position of a page in its list."""

    count: int
    page: int
    per_page: int
    total_count: int
    total_pages: int


class SuccessPage(msgspec.Struct):
    """A response with a page of a list."""

    errors: list[Message]
    messages: list[Message]
    result: object
    result_info: ResultInfo
    success: bool


_ENCODER = msgspec.json.Encoder()
JSON = "application/json"


def success(result: object, messages: list[Message] | None = None) -> bytes:
    """The envelope around `result`, a msgspec type or any JSON value."""
    return _ENCODER.encode(Success([], messages or [], result, True))


_BEFORE, _AFTER = success(msgspec.Raw(b"*")).split(b"*")


def success_json(result: bytes, messages: list[Message] | None = None) -> bytes:
    """The envelope around a result that is already encoded as JSON."""
    if messages:
        return success(msgspec.Raw(result), messages)
    return b"%b%b%b" % (_BEFORE, result, _AFTER)


def raw(value: object) -> msgspec.Raw:
    """Encode a large part of a result in advance."""
    return msgspec.Raw(_ENCODER.encode(value))


def page(
    result: Sequence[object] | msgspec.Raw,
    number: int,
    per_page: int,
    total: int,
    count: int | None = None,
) -> bytes:
    """The envelope around page `number` of a list of `total` items; `count`, the number of items
    on the page, is required if the result is already encoded as JSON."""
    on_page = len(result) if count is None else count
    info = ResultInfo(on_page, number, per_page, total, -(-total // per_page))
    return _ENCODER.encode(SuccessPage([], [], result, info, True))


def failure(errors: list[Message]) -> bytes:
    """The envelope of an error."""
    return _ENCODER.encode(Success(errors, [], None, False))
