"""Names of zones, in Unicode and as DNS has them.

A zone is known by its name in A-labels (RFC 5890 §2.3.2.1): look-ups, uniqueness and the files
for caches go by that form, which is plain ASCII. People see the form that they sent. The tables
of IDNA 2008 are those of `idna`, the one library that the domain uses.
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
    """A name in A-labels, and as it is answered: NFC, lower case, without the dot at its end."""

    ascii: str
    shown: str


def read_zone_name(name: object) -> ZoneName:
    """The name that `name` spells. Raises InvalidZoneName, also for a label that IDNA 2008
    refuses, in either form."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME + 1:
        raise InvalidZoneName(name)
    shown = _lower(name).removesuffix(".")
    if shown.endswith("."):
        raise InvalidZoneName(name)
    # The Kelvin sign is a small k in lower case: nobody who reads the two can tell them apart.
    if any(not character.isascii() and _lower(character).isascii() for character in name):
        raise InvalidZoneName(name)
    labels = [_a_label(label, name) for label in shown.split(".")]
    return ZoneName(checked_name(".".join(labels)), shown)


def lookup_name(text: str) -> str:
    """What a zone named `text`, in either form, is known by; `text` in lower case where it is no
    name."""
    if not text.isascii():
        try:
            return read_zone_name(text).ascii
        except InvalidZoneName:
            return _lower(text)
    return text.lower()


def is_zone_id(text: str) -> bool:
    """Whether `text` is a zone's id rather than its name."""
    return _ID.fullmatch(text) is not None


def may_be_zone(text: str) -> bool:
    """Whether a zone of some server may be called `text`, by id or name. Servers know names that
    IDNA 2008 refuses, such as those with emoji; blanks, quotes and URLs are in none."""
    return all(map(_may_be_label, text.removesuffix(".").split(".")))


def _may_be_label(label: str) -> bool:
    return bool(label) and all(map(_may_be_in_label, label))


def _may_be_in_label(character: str) -> bool:
    if character.isascii():
        return _LABEL.fullmatch(character) is not None
    return character in _JOINERS or unicodedata.category(character) not in _NOT_IN_NAMES


def unicode_name(name: str) -> str:
    """A name in A-labels, in Unicode as far as it can be."""
    return ".".join(_u_label(label) for label in name.split("."))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _a_label(label: str, name: str) -> str:
    """Raises InvalidZoneName. Labels in ASCII that are no A-labels are left to `checked_name`."""
    if label.isascii() and not label.startswith(_PREFIX):
        return label
    import idna  # large tables, for few names

    try:
        found = idna.alabel(label).decode("ascii")
        if idna.alabel(idna.ulabel(found)).decode("ascii") == found:
            return found
        reason = f"{label} is not the form that IDNA gives its label"
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
