"""Who sends a request, from its headers: a bearer token, or an email address and a key.

A bearer token counts before the pair; what is malformed is refused before anything is looked
up. A body may be long in coming: when it is there, `api.body` has everything checked again.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from falcon.asgi import Request

from originmap.api.request import RequestInfo, info_of
from originmap.domain.access import Need
from originmap.domain.access_errors import (
    MalformedCredentials,
    MissingCredentials,
    UnknownKey,
    UnknownToken,
    UnusableToken,
)
from originmap.domain.errors import RateLimited
from originmap.domain.zone import Zone
from originmap.service.access import Access
from originmap.service.brake import Brake
from originmap.service.directory import Caller
from originmap.service.rate_limiter import RateLimiter

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9_.-]+)")
_KEY = re.compile(r"[A-Za-z0-9_.-]{20,}")

ITEMS_A_REQUEST = 100
"""Colos, addresses or changes that one request of a quota pays for."""

T = TypeVar("T")
_Find = Callable[[], Caller]


class Guard:
    """Checks requests; every route asks it first."""

    def __init__(
        self,
        access: Access,
        brake: Brake,
        per_user: RateLimiter | None = None,
        per_address: RateLimiter | None = None,
    ) -> None:
        self.access = access
        self._brake = brake
        self._per_user = per_user
        self._per_address = per_address

    def caller(self, req: Request, *, any_status: bool = False, nodes: bool = False) -> Caller:
        """Who sends this. Raises AccessError, RateLimited.

        With `any_status` also who has a token that is disabled, expired or not yet valid. Tokens
        of nodes are refused unless the route is for `nodes` too.
        """
        info = info_of(req.scope)
        self.access.check_loaded()
        if self._per_address is not None:
            verdict = self._per_address.take(info.client)
            if not verdict.taken:
                raise RateLimited(verdict.reset)
        try:
            header = req.get_header("authorization")
            if header is not None:
                find = self._by_token(header, info.client, any_status)
            else:
                find = self._by_key(req)
            caller = find()
        except (UnknownToken, UnusableToken, UnknownKey) as error:
            raise self._brake.failed(info.client, error) from None
        info.credential, info.find = caller.id, find
        if self._per_user is not None:
            self._count(self._per_user, caller, info)
        if not nodes:
            self.access.no_node(caller)
        return caller

    def check(self, req: Request, right: Callable[[Caller], T]) -> T:
        """What `right`, a check of `Access`, says of the sender. Raises what it raises."""
        found = right(self.caller(req))
        info_of(req.scope).right = right
        return found

    def sender(self, req: Request) -> Caller:
        """Who sends this as of the moment, after `caller` was asked: for a right that depends on
        the body. Raises AccessError."""
        find = info_of(req.scope).find
        assert find is not None
        return find()

    def zone(self, req: Request, need: Need, zone_id: str, *, nodes: bool = False) -> Zone:
        """The zone, if the sender may do there what `need` says. Raises AccessError, and
        ZoneNotFound where the sender may know."""
        caller, info = self.caller(req, nodes=nodes), info_of(req.scope)
        info.zone_id = zone_id
        # It does not hold on to the request: a circle would wait for the garbage collector.
        info.right = right = partial(self.access.zone, need=need, zone_id=zone_id)
        return right(caller)

    def charge(self, req: Request, items: int) -> None:
        """Count a request about many items, of which the caller chose how many, as several: one
        more for each `ITEMS_A_REQUEST`. Raises RateLimited if the quota was used up before."""
        more = max(items, 0) // ITEMS_A_REQUEST
        if self._per_user is not None and more:
            sender = self.sender(req)
            verdict = self._per_user.take(sender.user_id or sender.id, more)
            if not verdict.taken:
                raise RateLimited(verdict.reset)

    def _count(self, limiter: RateLimiter, caller: Caller, info: RequestInfo) -> None:
        # A user's tokens and key count together; an account's token counts for itself.
        verdict = limiter.take(caller.user_id or caller.id)
        quota = limiter.quota
        info.headers += [
            (b"ratelimit", b'"default";r=%d;t=%d' % (verdict.remaining, verdict.reset)),
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (quota.limit, quota.seconds)),
        ]
        if not verdict.taken:
            raise RateLimited(verdict.reset)

    def _by_token(self, header: str, client: str, any_status: bool) -> _Find:
        secret = bearer_of(header)
        if any_status:
            return partial(self.access.by_token_of_any_status, secret, client)
        return partial(self.access.by_token, secret, client)

    def _by_key(self, req: Request) -> _Find:
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
        return partial(self.access.by_key, email, key.encode())


def bearer_of(header: str) -> bytes:
    """The token in an Authorization header. Raises MalformedCredentials."""
    match = _BEARER.fullmatch(header)
    if match is None:
        raise MalformedCredentials("bearer")
    return match[1].encode()
