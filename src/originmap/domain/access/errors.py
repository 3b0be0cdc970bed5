"""Errors of authentication and authorization: a branch of the tree in `domain.errors`.

AccessError                     not authenticated, or not permitted
├── MissingCredentials          which="any" | "key" | "email"
├── MalformedCredentials        which="bearer" | "key" | "email"
├── UnknownToken                revoked, or never issued
├── UnusableToken               disabled, expired, or not valid yet
├── UnknownKey
├── WrongLocation               the token cannot be used from this address
├── WrongColo                   a node reports another colo than its token's
├── TooManyFailures             too many bad credentials from one address
├── AccountsNotCreatable        accounts cannot be created over HTTP
└── Forbidden                   authenticated, without the permission
"""

from collections.abc import Collection

from originmap.domain.errors import OriginmapError


class AccessError(OriginmapError):
    """The request is not authenticated, or its credential lacks the permission."""


class MissingCredentials(AccessError):
    """The request has no credentials, or half of the key pair. `which` is "any", "key" or
    "email"."""

    def __init__(self, which: str) -> None:
        super().__init__(f"missing credentials: {which}")
        self.which = which


class MalformedCredentials(AccessError):
    """A header does not have the form of a credential. `which` is "bearer", "key" or "email"."""

    def __init__(self, which: str) -> None:
        super().__init__(f"malformed credentials: {which}")
        self.which = which


class UnknownToken(AccessError):
    """No token has this secret: it was revoked or never existed."""


class UnusableToken(AccessError):
    """The token is disabled, expired, or not valid yet."""


class UnknownKey(AccessError):
    """No user has this email address and key."""


class WrongLocation(AccessError):
    """The token cannot be used from the address of the client."""

    def __init__(self, client: str) -> None:
        super().__init__(f"the token may not be used from {client}")
        self.client = client


class WrongColo(AccessError):
    """The node reports another colo than its token is bound to."""

    def __init__(self, bound: Collection[str], colo: str) -> None:
        reported = f"colo {colo}" if colo else "a node without a colo"
        super().__init__(f"the token is for colo {' or '.join(sorted(bound))}, not for {reported}")
        self.hint = "set --colo to the token's colo, or create a token for this --colo"


class TooManyFailures(AccessError):
    """More than 100 invalid credentials came from this address in a minute."""

    retry_after = 60


class AccountsNotCreatable(AccessError):
    """Accounts cannot be created over HTTP, whatever the credential."""


class Forbidden(AccessError):
    """The credential does not allow this, or the zone does not exist."""
