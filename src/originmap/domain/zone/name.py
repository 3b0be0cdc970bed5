"""Names of zones, in Unicode and in the ASCII form of DNS.

A zone is identified by its name in A-labels (RFC 5890 §2.3.2.1): lookups, uniqueness and the files
for caches use that form, which is plain ASCII. The API returns the form that the client sent. The
tables of IDNA 2008 come from `idna`, the only third-party library that the domain uses.
"""

import re
import unicodedata
from typing import NamedTuple

from originmap.domain.errors import InvalidZoneName
from originmap.domain.zone.zone import LONGEST_NAME, checked_name

_PREFIX = "xn--"
_ID = re.compile("[0-9a-f]{32}", re.IGNORECASE)
_LABEL = re.compile("[A-Za-z0-9_-]")
_NOT_IN_NAMES = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Pi", "Pf", "Ps", "Pe"}
)  # controls, blanks, quotes, brackets
_JOINERS = "\u200c\u200d"


class ZoneName(NamedTuple):
    """A name in A-labels, and in the form for responses: NFC, lower case, without the final
    dot."""

    ascii: str
    shown: str


def read_zone_name(name: object) -> ZoneName:
    """Parse a name in either form. Raises InvalidZoneName, also for a label that IDNA 2008
    rejects."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME + 1:
        raise InvalidZoneName(name)
    shown = _lower(name).removesuffix(".")
    if shown.endswith("."):
        raise InvalidZoneName(name)
    # The Kelvin sign becomes k in lower case: the two look alike.
    if any(not character.isascii() and _lower(character).isascii() for character in name):
        raise InvalidZoneName(name)
    labels = [_a_label(label, name) for label in shown.split(".")]
    return ZoneName(checked_name(".".join(labels)), shown)


def lookup_name(text: str) -> str:
    """The A-label form of a zone name in either form; `text` in lower case if it is not a name."""
    if not text.isascii():
        try:
            return read_zone_name(text).ascii
        except InvalidZoneName:
            return _lower(text)
    return text.lower()


def is_zone_id(text: str) -> bool:
    """Whether `text` is a zone's id, not its name."""
    return _ID.fullmatch(text) is not None


def may_be_zone(text: str) -> bool:
    """Whether `text` can be the id or name of a zone on any server. Servers accept names that IDNA
    2008 rejects, such as those with emoji, but no names with blanks, quotes or slashes."""
    return all(map(_may_be_label, text.removesuffix(".").split(".")))


def is_a_label(label: str) -> bool:
    """Whether a label that starts with xn-- is one that IDNA 2008 accepts."""
    try:
        _a_label(label.lower(), label)
    except InvalidZoneName:
        return False
    return True


def _may_be_label(label: str) -> bool:
    return bool(label) and all(map(_may_be_in_label, label))


def _may_be_in_label(character: str) -> bool:
    if character.isascii():
        return _LABEL.fullmatch(character) is not None
    return character in _JOINERS or unicodedata.category(character) not in _NOT_IN_NAMES


def unicode_name(name: str) -> str:
    """Convert a name from A-labels to Unicode; invalid labels stay as they are."""
    return ".".join(_u_label(label) for label in name.split("."))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _a_label(label: str, name: str) -> str:
    """Convert a label to an A-label; `checked_name` checks other ASCII labels. Raises
    InvalidZoneName."""
    if label.isascii() and not label.startswith(_PREFIX):
        return label
    import idna  # large tables, for few names

    try:
        a_label = idna.alabel(label).decode("ascii")
        if idna.alabel(idna.ulabel(a_label)).decode("ascii") == a_label:
            return a_label
        reason = f"{label} is not a canonical A-label of IDNA 2008"
    except UnicodeError as error:  # IDNAError is one
        reason = str(error)
    raise InvalidZoneName(name, reason)


def _u_label(label: str) -> str:
    if not label.startswith(_PREFIX):
        return label
    try:
        return label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
    except UnicodeError:
        return label
