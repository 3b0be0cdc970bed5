"""Numbers in text: those of query arguments, headers, command-line options and settings, and those
with a noun.

The only module that parses numbers of the user's input. Each function checks the whole text and
returns the number that it checked, so that no caller can check one form and use another.
Only ASCII digits count: no sign, no blank, no underscore, no exponent, no `nan`, no `inf`.
"""

import re

MOST_DIGITS = 16
"""Digits of the largest number accepted anywhere, a revision; leading zeros count too."""

_WHOLE = re.compile(f"[0-9]{{1,{MOST_DIGITS}}}")
_DECIMAL = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}(?:\.[0-9]{{1,{MOST_DIGITS}}})?")
_PORT_DIGITS = 5
_SHOWN = 40


def whole(text: str, least: int, most: int) -> int | None:
    """Parse a whole number from `least` to `most`; None if `text` is anything else."""
    if _WHOLE.fullmatch(text) is None:
        return None
    number = int(text)
    return number if least <= number <= most else None


def decimal(text: str, least: float, most: float) -> float | None:
    """Parse a number such as 5 or 0.25 from `least` to `most`; None if `text` is anything else."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    return number if least <= number <= most else None


def port(text: str) -> int | None:
    """Parse a port from 1 to 65535 in at most five digits; None if `text` is anything else."""
    return whole(text, 1, 65_535) if len(text) <= _PORT_DIGITS else None


def shown(text: str) -> str:
    """A rejected text, quoted and shortened for a message of one line."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text)} characters)"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 origin", "2,000 origins"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
