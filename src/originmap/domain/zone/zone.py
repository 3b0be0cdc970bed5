"""Zones and whose they are: accounts and users.

A zone is a domain whose origins are mapped. Settings are part of the zone, because whoever asks
about a mapping asks about them too.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from originmap.domain.errors import InvalidZoneName

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
LONGEST_NAME = 253
"""Characters (RFC 1035 §2.3.4), in A-labels and without the dot at the end."""


class ZoneType(StrEnum):
    """How a zone's DNS is hosted; published. It is kept and answered, and has no effect here."""

    FULL = "full"
    PARTIAL = "partial"
    SECONDARY = "secondary"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Account:
    """Owns zones."""

    id: str
    name: str
    created_on: int  # microseconds since 1970-01-01 UTC


@dataclass(frozen=True, slots=True)
class User:
    """A person who may do everything with a global API key, if one was given."""

    id: str
    email: str
    key_hash: str  # SHA-256 of the key, hex; "" without a key; the key itself is kept nowhere
    created_on: int


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off; `modified_on` is None until somebody sets it."""

    on: bool
    modified_on: int | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain and its settings. `name` is in A-labels, and what the zone is known by."""

    id: str
    name: str
    account_id: str
    created_on: int
    modified_on: int
    type: ZoneType = ZoneType.FULL
    paused: bool = False
    tiered_cache: Switch = Switch(True)
    smart_tiered_cache: Switch = Switch(True)
    regional_tiered_cache: Switch = Switch(False)
    vanity_name_servers: tuple[str, ...] | None = None  # None where nobody said any
    unicode_name: str = ""  # the name as it was sent, where that is not `name`

    @property
    def shown_name(self) -> str:
        """The name in the form in which it was sent."""
        return self.unicode_name or self.name


def checked_name(name: object) -> str:
    """`name` in lower case, without the dot at its end. Raises InvalidZoneName.

    Names outside ASCII are given in their A-label form (RFC 5891 §4.4), as DNS has them;
    `zone_name.read_zone_name` takes them in Unicode.
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME + 1 or not name.isascii():
        raise InvalidZoneName(name)
    lower = name.lower().removesuffix(".")
    if len(lower) > LONGEST_NAME or not _NAME.fullmatch(lower):
        raise InvalidZoneName(name)
    return lower
