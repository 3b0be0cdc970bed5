"""Zones and their owners: accounts and users.

A zone is a domain whose origins are mapped. Its settings are part of it, because each resolution
needs them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from originmap.domain.errors import InvalidZoneName
from originmap.domain.zone.pool import Pool

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
LONGEST_NAME = 253
"""Characters of a name in A-labels, without the final dot (RFC 1035 §2.3.4)."""


class ZoneType(StrEnum):
    """The DNS setup of a zone; published. It is stored and returned, and has no other effect."""

    FULL = "full"
    PARTIAL = "partial"
    SECONDARY = "secondary"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Account:
    """An account, the owner of zones."""

    id: str
    name: str
    created_on: int  # microseconds since 1970-01-01 UTC


@dataclass(frozen=True, slots=True)
class User:
    """A user. The global API key, if there is one, has all permissions."""

    id: str
    email: str
    key_hash: str  # SHA-256 of the key, hex; "" without a key; the key itself is not stored
    created_on: int


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off; `modified_on` is None until it is first set."""

    on: bool
    modified_on: int | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain and its settings. `name` is in A-labels, and identifies the zone."""

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
    vanity_name_servers: tuple[str, ...] | None = None  # None if not set
    unicode_name: str = ""  # the name that the client sent, if it differs from `name`
    pools: tuple[Pool, ...] = ()  # as `domain.zone.pool.checked_pools` returns them

    @property
    def shown_name(self) -> str:
        """The name in the form that the client sent."""
        return self.unicode_name or self.name


def checked_name(name: object) -> str:
    """Validate a name in A-labels (RFC 5891 §4.4), and return it in lower case without the final
    dot. Raises InvalidZoneName. `domain.zone.name.read_zone_name` accepts Unicode too.
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME + 1 or not name.isascii():
        raise InvalidZoneName(name)
    lower = name.lower().removesuffix(".")
    if len(lower) > LONGEST_NAME or not _NAME.fullmatch(lower):
        raise InvalidZoneName(name)
    return lower
