"""A request that the proxy received, with the digest of its credential.

Everything that the proxy remembers is kept by this digest, so that data read with one credential is
never shown to another. The credential itself is only in the request, and gone with it.
"""

from hashlib import sha256
from typing import NamedTuple

from originmap.api.http.request import Request

_CREDENTIAL = (b"authorization", b"x-auth-email", b"x-auth-key", b"x-auth-user-service-key")
_STATE = (b"cookie",)


class ProxyCall(NamedTuple):
    """A request. `credential` is a SHA-256 of all headers that authenticate; `deadline` is the
    time, by the event loop's clock, after which the rate limit must not delay it further."""

    request: Request
    credential: bytes
    deadline: float

    def signed(self) -> list[tuple[bytes, bytes]]:
        """The headers that authenticate."""
        headers = self.request.headers
        return [(name, headers[name]) for name in _CREDENTIAL + _STATE if name in headers]

    @property
    def anonymous(self) -> bool:
        """Whether the request has no credential."""
        return not any(name in self.request.headers for name in _CREDENTIAL)


def received(request: Request, deadline: float) -> ProxyCall:
    """The call of a request."""
    digest = sha256()
    for name in _CREDENTIAL + _STATE:
        value = request.headers.get(name)
        # Absent and empty differ, and lengths keep neighbours apart.
        digest.update(b"-" if value is None else b"%d:%b" % (len(value), value))
    return ProxyCall(request, digest.digest(), deadline)
