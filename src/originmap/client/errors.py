"""What can go wrong with an API that is asked from outside.

    ClientError
    ├── NoCredentials   nothing was given to sign requests with
    ├── Unreachable     no answer, after trying again
    ├── Refused         an answer that says no: `status`, `codes` and `text`
    ├── Redirected      the API is at another URL: `base`, if that can be told
    ├── Unreadable      an answer that is not of this API
    ├── NoSuchZone      no zone, or more than one, of this name
    ├── ListUnsteady    a list that kept changing while its pages were read
    └── ListIncomplete  a list whose pages do not have what the server announces

They end a command; the hint says what a person can do.
"""

from collections.abc import Sequence

from originmap.domain.errors import OriginmapError

_SET = (
    "set CLOUDFLARE_API_TOKEN to a token that may do this, or CLOUDFLARE_EMAIL and "
    "CLOUDFLARE_API_KEY to a user's pair"
)
_RIGHTS = (
    "the token needs Zone Settings Read (to plan) or Zone Settings Write (to apply) for this zone"
)
_BASE = "is --api (or CLOUDFLARE_BASE_URL) the base URL, https://api.cloudflare.com/client/v4?"
_HINTS = {
    400: f"is the zone's id right? {_BASE}",
    401: _SET,
    403: _RIGHTS,
    404: _BASE,
    429: "wait, and run the same command again: it goes on where it stopped",
}
_UNSIGNED = {9106, 9107, 6003, 9103, 9109}


class ClientError(OriginmapError):
    """The API could not be asked, or did not do what it was asked."""


class NoCredentials(ClientError):
    """Nothing was given to sign requests with."""

    def __init__(self) -> None:
        super().__init__("no credentials for the API")
        self.hint = _SET


class Unreachable(ClientError):
    """No answer, after trying again as often as makes sense. `sent` is false if the request cannot
    have reached the server."""

    sent = True

    def __init__(self, url: str, reason: str, remedy: str = "") -> None:
        """`remedy` is what to do, if that is known."""
        super().__init__(f"{url}: {reason}")
        self.remedy = remedy
        self.hint = remedy or "is it running, and is --api (or CLOUDFLARE_BASE_URL) right?"


class Refused(ClientError):
    """An answer that says no."""

    def __init__(self, what: str, status: int, errors: Sequence[tuple[int, str]]) -> None:
        said = "; ".join(_said(*error) for error in errors) or "no reason given"
        super().__init__(f"{what}: {status}: {said}")
        self.status = status
        self.codes = [code for code, _ in errors]
        self.hint = _SET if _UNSIGNED.intersection(self.codes) else _HINTS.get(status, "")


def _said(code: int, text: str) -> str:
    return f"{text or 'no reason given'} ({code})" if code else text or "no reason given"


class Redirected(ClientError):
    """The API is at another URL; redirects are not followed, because they would take the
    credentials along. `base` is the base URL there, "" if that cannot be told."""

    def __init__(self, what: str, status: int, target: str, base: str) -> None:
        super().__init__(f"{what}: {status}, a redirect to {target or 'an unknown place'}")
        self.base = base
        self.hint = f"set --api (or CLOUDFLARE_BASE_URL) to {base}" if base else _BASE


class Unreadable(ClientError):
    """An answer that is not one of this API; `found` is what it is instead."""

    def __init__(self, what: str, status: int, found: str = "") -> None:
        super().__init__(
            f"{what}: {status}, and not an answer of the v4 API" + (f": {found}" if found else "")
        )
        self.hint = _HINTS[404]
        if status == 407:
            self.hint = "the proxy wants a user and a password: http://USER:PASSWORD@HOST:PORT"
        elif status >= 500:
            self.hint = f"a proxy in front of the API may have answered: try later; {_BASE}"


class NoSuchZone(ClientError):
    """No zone, or more than one, of this name."""

    def __init__(self, name: str, found: int) -> None:
        count = f"{found} zones are" if found else "no zone is"
        super().__init__(f"{count} called {name}")
        self.name = name
        self.hint = (
            "name it by its id"
            if found
            else "the credentials see only the zones they were given: is the name right?"
        )


class ListUnsteady(ClientError):
    """A list that kept changing while its pages were read: nobody can say what is in it."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} kept changing while it was listed: {why}")
        self.hint = "somebody else writes to the zone; run this again when that is done"


class ListIncomplete(ClientError):
    """A list whose pages do not have what the server announces, each time that it is read."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} cannot be read in full: {why}")
        self.hint = "nothing was changed; tell the people who run the server"
