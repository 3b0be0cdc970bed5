"""Errors of the API client.

    ClientError
    ├── NoCredentials   no credentials are set
    ├── Unreachable     no response, after retries
    ├── Refused         an error response: `status` and `codes`
    ├── Redirected      the API is at another URL: `base`, if it is known
    ├── Unreadable      the response is not from this API
    ├── NoPools         the server is not an Originmap, or is older than pools
    ├── NoSuchZone      no zone, or more than one, has this name
    ├── ListUnsteady    a list kept changing while its pages were read
    └── ListIncomplete  the pages of a list have fewer items than the server announced

They end a command; the hint says what to do.
"""

from collections.abc import Sequence

from originmap.domain.errors import OriginmapError

_SET = (
    "set CLOUDFLARE_API_TOKEN to a token with the permission, or CLOUDFLARE_EMAIL and "
    "CLOUDFLARE_API_KEY to those of a user"
)
_RIGHTS = (
    "the token needs Zone Settings Read (to plan) or Zone Settings Write (to apply) for this zone"
)
_BASE = (
    "set --api (or CLOUDFLARE_BASE_URL) to a base URL such as https://api.cloudflare.com/client/v4"
)
_HINTS = {
    400: f"check the zone's ID; {_BASE}",
    401: _SET,
    403: _RIGHTS,
    404: _BASE,
    429: "wait, then run the same command again: it continues where it stopped",
}
_NO_REASON = "retry later; if that does not help, ask the operator of the server for the reason"
_UNSIGNED = {9106, 9107, 6003, 9103, 9109}


class ClientError(OriginmapError):
    """A request to the API failed."""


class NoCredentials(ClientError):
    """No credentials are set."""

    def __init__(self) -> None:
        super().__init__("no credentials for the API")
        self.hint = _SET


class Unreachable(ClientError):
    """No response, after retries. `sent` is false if the request cannot have reached the server."""

    sent = True

    def __init__(self, url: str, reason: str, remedy: str = "") -> None:
        """`remedy` is the hint for this reason, if there is one."""
        super().__init__(f"{url}: {reason}")
        self.remedy = remedy
        self.hint = remedy or "check that it is running, and --api (or CLOUDFLARE_BASE_URL)"


class Refused(ClientError):
    """An error response."""

    def __init__(self, what: str, status: int, errors: Sequence[tuple[int, str]]) -> None:
        reasons = "; ".join(_reason(*error) for error in errors) or "no reason given"
        super().__init__(f"{what}: {status}: {reasons}")
        self.status = status
        self.codes = [code for code, _ in errors]
        known = _HINTS.get(status, "" if errors else _NO_REASON)
        self.hint = _SET if _UNSIGNED.intersection(self.codes) else known


def _reason(code: int, text: str) -> str:
    return f"{text or 'no reason given'} ({code})" if code else text or "no reason given"


class Redirected(ClientError):
    """The API is at another URL. Redirects are not followed, because the credentials would be sent
    to the target. `base` is the new base URL, "" if unknown."""

    def __init__(self, what: str, status: int, target: str, base: str) -> None:
        super().__init__(f"{what}: {status}, a redirect to {target or 'an unknown URL'}")
        self.base = base
        self.hint = f"set --api (or CLOUDFLARE_BASE_URL) to {base}" if base else _BASE


class Unreadable(ClientError):
    """The response is not from this API; `description` says what it is instead. `challenged` means
    that it is a challenge of Cloudflare for browsers."""

    def __init__(
        self, what: str, status: int, description: str = "", *, challenged: bool = False
    ) -> None:
        suffix = f": {description}" if description else ""
        super().__init__(f"{what}: {status}, not a response of the v4 API{suffix}")
        self.hint = _HINTS[404]
        if challenged:
            self.hint = (
                "Cloudflare blocks this client with a challenge for browsers: run the command from"
                " another network, or with a token that allows this address"
            )
        elif status == 407:
            self.hint = "set the proxy's user and password: http://USER:PASSWORD@HOST:PORT"
        elif status >= 500:
            self.hint = (
                f"the response may be from a proxy in front of the API: retry later; {_BASE}"
            )


class NoPools(ClientError):
    """The server has no load-balancing pools, which need Originmap."""

    def __init__(self, base_url: str) -> None:
        super().__init__(f"{base_url} has no pools: they need an Originmap server")
        self.hint = "remove pools from the file, or set --api to the URL of an Originmap server"


class NoSuchZone(ClientError):
    """No zone, or more than one, has this name."""

    def __init__(self, name: str, count: int) -> None:
        zones = f"{count} zones are" if count else "no zone is"
        super().__init__(f"{zones} called {name}")
        self.name = name
        self.hint = (
            "use the zone's ID"
            if count
            else "check the name, and that the credentials have permission for the zone"
        )


class ListUnsteady(ClientError):
    """A list kept changing while its pages were read, so its content is unknown."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} kept changing while it was read: {why}")
        self.hint = "another client writes to the zone; run the command again when it has finished"


class ListIncomplete(ClientError):
    """The pages of a list repeatedly have fewer items than the server announced."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} cannot be read in full: {why}")
        self.hint = "nothing was changed; report this to the operator of the server"
