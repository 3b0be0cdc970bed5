"""API tokens: a secret with a set of policies.

Only the SHA-256 of a secret is stored. A secret has 40 random characters, so a slow hash would add
nothing. `service.access.secret` generates secrets; the API returns each once.
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
"""The characters of a secret."""

LONGEST_NAME = 120
"""Published: a token's name has at most 120 characters."""

MAX_TOKENS = {"user": 50, "account": 500}
"""Published: the number of tokens that an owner can have, by kind of owner."""

MAX_NODE_TOKENS = 10_000
"""The number of node tokens that an owner can have, counted separately. Our own limit."""

MAX_PREFIXES = 100
"""Our own limit, because every request with the token checks the prefixes."""


class TokenStatus(StrEnum):
    """The status of a token at a given time."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a token: a user or an account."""

    kind: str  # "user" or "account"
    id: str


@dataclass(frozen=True, slots=True)
class RequestIP:
    """The client addresses that can use a token, as CIDR prefixes; None means no condition. An
    empty list is a condition: an empty `in_` admits no address, an empty `not_in` admits all."""

    in_: tuple[str, ...] | None = None
    not_in: tuple[str, ...] | None = None

    def admits(self, client: str) -> bool:
        """Whether a client with this address can use the token; False if `client` is not an
        address."""
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
        """The status as the API reports it; a token that is not valid yet is "active"."""
        if self.disabled:
            return TokenStatus.DISABLED
        if self.expires_on is not None and self.expires_on <= now:
            return TokenStatus.EXPIRED
        return TokenStatus.ACTIVE

    def usable(self, now: int) -> bool:
        """Whether the token can be used at the time `now`."""
        early = self.not_before is not None and now < self.not_before
        return not early and self.status(now) is TokenStatus.ACTIVE

    @property
    def conditional(self) -> bool:
        """Whether each use of the token must be checked."""
        limits = (self.not_before, self.expires_on, self.request_ip)
        return self.disabled or any(limit is not None for limit in limits)


def hash_secret(secret: str) -> str:
    """The SHA-256 of a secret in hex, which is stored instead of the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _within(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefixes: Iterable[str]
) -> bool:
    return any(address in _network(prefix) for prefix in prefixes)


# Every request with a token checks its prefixes.
@functools.lru_cache(maxsize=4096)
def _network(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network of a prefix; an IPv4-mapped prefix (::ffff:192.0.2.0/120) is the IPv4 one."""
    network = ipaddress.ip_network(prefix)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
