"""Numbers in text: query arguments, headers, command-line options and settings.

The only module that turns a text of somebody else's into a number. Each function checks the whole
text and returns the number that it checked, so that no caller can check one form and use another.
Only ASCII digits count: no sign, no blank, no underscore, no exponent, no `nan`, no `inf`.
"""

import re

MOST_DIGITS = 16
"""Digits of the largest number that is taken anywhere, a revision; leading zeros count as well."""

_WHOLE = re.compile(f"[0-9]{{1,{MOST_DIGITS}}}")
_DECIMAL = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}(?:\.[0-9]{{1,{MOST_DIGITS}}})?")
_PORT_DIGITS = 5
_SHOWN = 40


def whole(text: str, least: int, most: int) -> int | None:
    """The whole number from `least` to `most` that `text` is, None for any other text."""
    if _WHOLE.fullmatch(text) is None:
        return None
    number = int(text)
    return number if least <= number <= most else None


def decimal(text: str, least: float, most: float) -> float | None:
    """The number from `least` to `most` that `text` is, as in 5 or 0.25; None for any other."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    return number if least <= number <= most else None


def port(text: str) -> int | None:
    """The port from 1 to 65535 that `text` is, in at most five digits; None for any other text."""
    return whole(text, 1, 65_535) if len(text) <= _PORT_DIGITS else None


def shown(text: str) -> str:
    """What somebody gave for a number, quoted and short enough for a message of one line."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text)} characters)"
