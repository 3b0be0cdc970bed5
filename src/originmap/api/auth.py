"""Who sends a request, from its headers: a bearer token, or an email address and a key.

A bearer token counts before the pair; what is malformed is refused before anything is looked
up.
"""

import re

from falcon.asgi import Request

from originmap.api.request import info_of
from originmap.domain.access import Need
from originmap.domain.errors import MalformedCredentials, MissingCredentials
from originmap.domain.zone import Zone
from originmap.service.access import Access
from originmap.service.directory import Caller

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9_.-]+)")
_KEY = re.compile(r"[A-Za-z0-9_.-]{20,}")


class Guard:
    """Checks requests; every route asks it first."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def caller(self, req: Request) -> Caller:
        """Who sends this. Raises AccessError."""
        header = req.get_header("authorization")
        caller = (
            self._access.by_token(bearer_of(header)) if header is not None else self._by_key(req)
        )
        info_of(req.scope).credential = caller.id
        return caller

    def zone(self, req: Request, need: Need, zone_id: str) -> Zone:
        """The zone, if the sender may do there what `need` says. Raises AccessError, and
        ZoneNotFound where the sender may know."""
        caller = self.caller(req)
        info_of(req.scope).zone_id = zone_id
        return self._access.zone(caller, need, zone_id)

    def _by_key(self, req: Request) -> Caller:
        email, key = req.get_header("x-auth-email"), req.get_header("x-auth-key")
        if email is None and key is None:
            raise MissingCredentials("any")
        if key is None:
            raise MissingCredentials("key")
        if email is None:
            raise MissingCredentials("email")
        if "@" not in email:
            raise MalformedCredentials("email")
        if not _KEY.fullmatch(key):
            raise MalformedCredentials("key")
        return self._access.by_key(email, key.encode())


def bearer_of(header: str) -> bytes:
    """The token in an Authorization header. Raises MalformedCredentials."""
    match = _BEARER.fullmatch(header)
    if match is None:
        raise MalformedCredentials("bearer")
    return match[1].encode()
