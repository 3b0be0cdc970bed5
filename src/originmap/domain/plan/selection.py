"""The selection of a plan's mappings: patterns, and a zone's rules with patterns.

A pattern is a block of addresses (`10.0.0.0/8`), a region (`aws/us-*`, `oci/*`), or an address or
a glob of its canonical text (`192.0.2.*`, `2001:db8:*`). The rules apply to live mappings that are
not in the file:

    matches `ignore`    managed elsewhere: never changed or deleted
    matches `adopt`     kept, and listed, so that it can be added to the file
    matches neither     deleted
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from originmap.domain.detection import prefix
from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place


class InvalidPattern(ValueError):
    """A text that is not a pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern; `text` is its source."""

    text: str
    _block: tuple[int, int] | None  # the first number of the block, and the one after its last
    _of_region: bool

    def matches(self, address: Address, place: Place) -> bool:
        """Whether the pattern matches this mapping."""
        if self._block is not None:
            return self._block[0] <= prefix.number(address) < self._block[1]
        subject = f"{place.vendor}/{place.region}" if self._of_region else addresses.text(address)
        return fnmatchcase(subject, self.text)


def pattern(text: str) -> Pattern:
    """Parse a pattern. Raises InvalidPattern."""
    if not text or text != text.strip():
        raise InvalidPattern(f"{text!r} is not a pattern: it is empty, or has blanks around it")
    if "/" not in text:
        try:
            return Pattern(addresses.text(addresses.parse(text)), None, False)
        except InvalidAddress:
            return _address_glob(text)
    if text[0].isdigit() or ":" in text:
        try:
            block = prefix.parse(text)
        except prefix.InvalidPrefix as error:
            raise InvalidPattern(str(error)) from None
        return Pattern(text, (prefix.number(block.start), prefix.after(block)), False)
    if text.count("/") != 1:
        raise InvalidPattern(f"{text!r}: a region is written vendor/region")
    return Pattern(text, None, True)


def _address_glob(text: str) -> Pattern:
    # A glob that cannot match any address would silently select nothing.
    if not set(text) <= set("0123456789abcdef.:*?[]!-") or not set(text) & set("*?["):
        raise InvalidPattern(
            f"{text!r} is not a pattern: use an address, a glob of addresses, a prefix or"
            " vendor/region"
        )
    return Pattern(text, None, False)


@dataclass(frozen=True, slots=True)
class Selection:
    """The mappings of one zone that a plan can change; without `only`, all that are not
    ignored."""

    only: tuple[Pattern, ...] = ()
    ignore: tuple[Pattern, ...] = ()
    adopt: tuple[Pattern, ...] = ()
    delete: bool = True

    def ignores(self, address: Address, place: Place) -> bool:
        """Whether this mapping is managed elsewhere."""
        return _any(self.ignore, address, place)

    def selects(self, address: Address, *places: Place | None) -> bool:
        """Whether the mapping is selected by `only`, with any of its places: live or desired."""
        if not self.only:
            return True
        return any(place and _any(self.only, address, place) for place in places)

    def adopts(self, address: Address, place: Place) -> bool:
        """Whether this mapping stays although it is not in the file."""
        return _any(self.adopt, address, place)


EVERYTHING = Selection()
"""Selects all mappings."""


def _any(patterns: Iterable[Pattern], address: Address, place: Place) -> bool:
    return any(pattern.matches(address, place) for pattern in patterns)
