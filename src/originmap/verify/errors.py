"""Errors that end a verification.

VerifyError
├── ListRefused    the zone's mappings cannot be read, so nothing can be tried
├── Throttled      the server keeps refusing requests because of its rate limit
└── LeftBehind     mappings of this run could not be deleted; carries `addresses`
"""

from collections.abc import Sequence

from originmap.domain.errors import OriginmapError


class VerifyError(OriginmapError):
    """A verification ended early."""

    page = "verify.md"


class ListRefused(VerifyError):
    """The zone's mappings cannot be read."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the zone's mappings cannot be read: {status}, {reason}")
        self.hint = (
            "check --api, --zone and the credentials: the token needs Zone Settings Write for the"
            " zone"
        )


class Throttled(VerifyError):
    """The server keeps refusing requests because of its rate limit."""

    hint = "wait five minutes, then run the command again"

    def __init__(self) -> None:
        super().__init__("the server still refuses requests (429) after the requested wait")


class LeftBehind(VerifyError):
    """Mappings that this run made were not deleted, or may not have been."""

    def __init__(self, path: str, addresses: Sequence[str]) -> None:
        """`path` is the one of the zone's mappings, below the base URL."""
        super().__init__(f"these mappings of this run may be left: {', '.join(addresses)}")
        self.addresses = addresses
        self.hint = f"delete each of them: DELETE {path}/ADDRESS"
