"""Zones and whose they are: accounts and users.

A zone is a domain whose origins are mapped. Settings are part of the zone, because whoever asks
about a mapping asks about them too.
"""

import re
from dataclasses import dataclass

from originmap.domain.errors import InvalidZoneName

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Account:
    """Owns zones."""

    id: str
    name: str
    created_on: int  # microseconds since 1970-01-01 UTC


@dataclass(frozen=True, slots=True)
class User:
    """A person with a global API key, who may do everything."""

    id: str
    email: str
    key_hash: str  # SHA-256 of the key, hex; the key itself is kept nowhere
    created_on: int


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain and its settings."""

    id: str
    name: str
    account_id: str
    created_on: int
    modified_on: int
    tiered_cache: bool = True
    smart_tiered_cache: bool = True


def checked_name(name: object) -> str:
    """`name` in lower case, without the dot at its end. Raises InvalidZoneName.

    Names outside ASCII are given in their A-label form (RFC 5891 §4.4), as DNS has them.
    """
    if not isinstance(name, str) or len(name) > _LONGEST_NAME + 1 or not name.isascii():
        raise InvalidZoneName(name)
    lower = name.lower().removesuffix(".")
    if len(lower) > _LONGEST_NAME or not _NAME.fullmatch(lower):
        raise InvalidZoneName(name)
    return lower
