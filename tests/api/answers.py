"""Reads responses in the envelope, so that a test compares only relevant parts."""

from typing import Any

import httpx

BAD_PAGE = (400, 1146, "invalid page parameter, must be 1 or more")


def error(answer: httpx.Response) -> tuple[int, int, str]:
    """Status, code and text of a response with one error."""
    body = answer.json()
    assert (body["success"], body["result"], body["messages"]) == (False, None, [])
    (found,) = body["errors"]
    return answer.status_code, found["code"], found["message"]


def result(answer: httpx.Response) -> Any:
    """The result of a successful response."""
    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["success"], body["errors"]) == (True, [])
    return body["result"]


def bad_per_page(at_most: int) -> tuple[int, int, str]:
    """The error for a per_page that is out of range."""
    return 400, 1146, f"invalid per_page parameter, must be between 1 and {at_most}"
