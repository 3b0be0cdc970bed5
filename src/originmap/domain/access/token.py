"""API tokens: a secret that stands for a set of policies.

Of the secret only its SHA-256 is kept: it is 40 random characters, so a slow hash would add
nothing. Secrets are made in `service.access.secret` and shown once.
"""

import functools
import hashlib
import ipaddress
import string
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from originmap.domain.access.permissions import Policy

SECRET_LENGTH = 40
ALPHABET = string.ascii_letters + string.digits + "_-"
"""What the secrets made here consist of."""

LONGEST_NAME = 120
"""Published: a token's name has at most 120 characters."""

MAX_TOKENS = {"user": 50, "account": 500}
"""Published: how many tokens an owner can have, by its kind."""

MAX_NODE_TOKENS = 10_000
"""Tokens of nodes, which are counted apart; ours, as the rights of nodes are."""

MAX_PREFIXES = 100
"""From where a token can be used is looked at for each of its requests."""


class TokenStatus(StrEnum):
    """What a token is at a given moment."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a token is: a user's, or an account's own."""

    kind: str  # "user" or "account"
    id: str


@dataclass(frozen=True, slots=True)
class RequestIP:
    """From where a token can be used, as CIDR prefixes; None where nothing was said. An empty
    list says something: `in_` admits nobody then, and `not_in` excludes nobody."""

    in_: tuple[str, ...] | None = None
    not_in: tuple[str, ...] | None = None

    def admits(self, client: str) -> bool:
        """Whether a request from this address may use the token. From an unknown address it
        may not."""
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        if self.in_ is not None and not _within(address, self.in_):
            return False
        return self.not_in is None or not _within(address, self.not_in)


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret. Times are microseconds since 1970-01-01 UTC."""

    id: str
    name: str
    secret_hash: str  # SHA-256, hex
    policies: tuple[Policy, ...]
    owner: Owner
    issued_on: int
    modified_on: int
    disabled: bool = False
    not_before: int | None = None
    expires_on: int | None = None
    request_ip: RequestIP | None = None

    def status(self, now: int) -> TokenStatus:
        """As the API tells it; a token that is not valid yet is "active" there too."""
        if self.disabled:
            return TokenStatus.DISABLED
        if self.expires_on is not None and self.expires_on <= now:
            return TokenStatus.EXPIRED
        return TokenStatus.ACTIVE

    def usable(self, now: int) -> bool:
        """Whether it can be used at this moment."""
        early = self.not_before is not None and now < self.not_before
        return not early and self.status(now) is TokenStatus.ACTIVE

    @property
    def conditional(self) -> bool:
        """Whether there is anything to check at each use."""
        limits = (self.not_before, self.expires_on, self.request_ip)
        return self.disabled or any(limit is not None for limit in limits)


def hash_secret(secret: str) -> str:
    """What is kept of a secret: SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _within(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefixes: Iterable[str]
) -> bool:
    return any(address in _network(prefix) for prefix in prefixes)


# A token's prefixes are looked at for each of its requests.
@functools.lru_cache(maxsize=4096)
def _network(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The addresses of a prefix; of IPv4-mapped ones (::ffff:192.0.2.0/120) the IPv4 addresses."""
    network = ipaddress.ip_network(prefix)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
