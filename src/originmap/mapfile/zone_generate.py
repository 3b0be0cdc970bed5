"""Expands BIND's $GENERATE: puts the numbers of its range into the words of a record.

The syntax is that of the BIND 9 Administrator Reference Manual. dnspython expands a directive only
as a part of a whole zone, and its errors do not say which value is wrong.
"""

import re
from typing import NamedTuple

MAX_WIDTH = 127
"""The limit of BIND for the width of a number."""

_RANGE = re.compile("([0-9]{1,99})-([0-9]{1,99})(?:/([0-9]{1,99}))?")
_FIELD = re.compile(
    r"\\. | \$\$ | \$\{([+-]?[0-9]{1,99})(?:,([0-9]{1,99})(?:,([doxXnN]))?)?\} | \$\{?",
    re.VERBOSE | re.DOTALL,
)


class BrokenGenerate(ValueError):
    """A $GENERATE directive that cannot be expanded."""


class GeneratedRange(NamedTuple):
    """The range of a directive, with its last number. It can be too long for a `range`."""

    start: int
    stop: int
    step: int

    @property
    def size(self) -> int:
        """The number of records."""
        return (self.stop - self.start) // self.step + 1

    @property
    def numbers(self) -> range:
        """All numbers, in order."""
        return range(self.start, self.stop + 1, self.step)


def parse_range(text: str) -> GeneratedRange:
    """Parse START-STOP or START-STOP/STEP. Raises BrokenGenerate."""
    matched = _RANGE.fullmatch(text)
    if matched is None:
        raise BrokenGenerate(f"not a range such as 1-10 or 1-10/2: {text!r}")
    parsed = GeneratedRange(int(matched[1]), int(matched[2]), int(matched[3] or 1))
    if parsed.start > parsed.stop:
        raise BrokenGenerate("start must be <= stop")
    if parsed.step == 0:
        raise BrokenGenerate(f"the step of the range {text!r} is 0")
    return parsed


def expand(template: str, number: int) -> str:
    """Replace $ and ${offset,width,base} in a word. Escapes are kept; $$ is a dollar sign. Raises
    BrokenGenerate."""
    return _FIELD.sub(lambda field: _replaced(field, number), template)


def _replaced(field: re.Match[str], number: int) -> str:
    if field[0][0] == "\\":
        return field[0]
    if field[0] == "$$":
        return "$"
    if field[0] == "${":
        raise BrokenGenerate(f"not a number such as ${{0,3,d}}: {field.string!r}")
    value, width = number + int(field[1] or 0), int(field[2] or 0)
    if width > MAX_WIDTH:
        raise BrokenGenerate(f"wider than {MAX_WIDTH} characters: {field[0]!r}")
    base = field[3] or "d"
    if base not in "nN":
        return format(value, base).zfill(width)
    if value < 0:
        raise BrokenGenerate(f"a negative number has no nibbles: {field[0]!r} for {number}")
    # Nibbles are in reverse order, as in reverse zones. The width counts their dots too, so that an
    # even width ends with one.
    digits = format(value, "x" if base == "n" else "X").zfill((width + 1) // 2)
    text = ".".join(reversed(digits))
    return text + "." * (len(text) < width)
