"""Which mappings a plan is about: patterns, and the rules of a zone that are made of them.

A pattern is a block of addresses (`10.0.0.0/8`), a region (`aws/us-*`, `oci/*`), or an address or
a glob of its canonical text (`192.0.2.*`, `2001:db8:*`). Rules say what happens to a mapping that
is not in the file:

    matches `ignore`    it belongs to somebody else: never read, never touched
    matches `adopt`     it is kept, and listed, so that it can be taken into the file
    matches neither     it is deleted
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
    """A text that is no pattern; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern; `text` is how it was written."""

    text: str
    _block: tuple[int, int] | None  # the first number of the block and the one behind its last
    _of_region: bool

    def matches(self, address: Address, place: Place) -> bool:
        """Whether it means this mapping."""
        if self._block is not None:
            return self._block[0] <= prefix.number(address) < self._block[1]
        shown = f"{place.vendor}/{place.region}" if self._of_region else addresses.text(address)
        return fnmatchcase(shown, self.text)


def pattern(text: str) -> Pattern:
    """The pattern that `text` spells. Raises InvalidPattern."""
    if not text or text != text.strip():
        raise InvalidPattern(f"{text!r} is no pattern")
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
    # A glob that can match no address would silently select nothing, which is no guard at all.
    if not set(text) <= set("0123456789abcdef.:*?[]!-") or not set(text) & set("*?["):
        raise InvalidPattern(f"{text!r}: neither an address, a glob of addresses, nor a region")
    return Pattern(text, None, False)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a plan of one zone may touch. Without `only` that is every mapping not ignored."""

    only: tuple[Pattern, ...] = ()
    ignore: tuple[Pattern, ...] = ()
    adopt: tuple[Pattern, ...] = ()
    delete: bool = True

    def ignores(self, address: Address, place: Place) -> bool:
        """Whether this mapping belongs to somebody else."""
        return _any(self.ignore, address, place)

    def selects(self, address: Address, *places: Place | None) -> bool:
        """Whether the mapping is among those that were asked for, by what it is or shall be."""
        if not self.only:
            return True
        return any(place and _any(self.only, address, place) for place in places)

    def adopts(self, address: Address, place: Place) -> bool:
        """Whether this mapping stays although it is not in the file."""
        return _any(self.adopt, address, place)


EVERYTHING = Selection()
"""No rules, and nothing left out."""


def _any(patterns: Iterable[Pattern], address: Address, place: Place) -> bool:
    return any(pattern.matches(address, place) for pattern in patterns)
