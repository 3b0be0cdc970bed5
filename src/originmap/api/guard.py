"""Authentication and authorization: the checks that routes use as their `admit`.

A credential is a bearer token, or an email address and a key; if a request has both, the token is
used. A malformed credential is rejected before any lookup. One cache is shared by all routes and
cleared when a record changes: the callers of tokens without a time or address limit, by the hash
of the header, and the zones in which a token has a permission.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import unquote

from originmap.api.http.request import Request
from originmap.domain.access.errors import (
    MalformedCredentials,
    MissingCredentials,
    UnknownKey,
    UnknownToken,
    UnusableToken,
)
from originmap.domain.access.permissions import WRITE_USER_TOKENS, Grants, Need
from originmap.domain.errors import RateLimited
from originmap.service.access.access import Access
from originmap.service.access.brake import Brake
from originmap.service.access.directory import Caller, Directory
from originmap.service.access.rate_limiter import RateLimiter

Admit = Callable[[Request], None]
"""A check of a request. Raises AccessError, RateLimited, and the errors of `Access`."""

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9_.-]+)")
_KEY = re.compile(r"[A-Za-z0-9_.-]{20,}")
ITEMS_A_REQUEST = 100
"""Colos, addresses or changes that count as one request of a rate limit."""
_MOST_REMEMBERED = 100_000


class Guard:
    """Checks the credential, the permissions and the rate limits of requests."""

    def __init__(
        self,
        access: Access,
        directory: Directory,
        brake: Brake,
        per_user: RateLimiter | None = None,
        per_address: RateLimiter | None = None,
    ) -> None:
        self.access = access
        self._directory = directory
        self._brake = brake
        self._per_user = per_user
        self._per_address = per_address
        self._limits_rates = per_user is not None or per_address is not None
        self._callers: dict[bytes, Caller] = {}
        self._admitted: set[tuple[Grants, Need, bool, str]] = set()

    def forget(self, changes: object) -> None:
        """Clear the cache after a change of records; a `store.port.RecordListener`."""
        self._callers.clear()
        self._admitted.clear()

    def reset_rate_limits(self) -> None:
        """Forget which requests were counted."""
        for limiter in (self._per_user, self._per_address):
            if limiter is not None:
                limiter.reset()

    # Checks

    def no_credential(self, request: Request) -> None:
        """No credential required."""

    def anyone(self, request: Request) -> None:
        """Any valid credential, except a token of a node."""
        self.anyone_or_node(request)
        self.access.no_node(request.caller)

    def anyone_or_node(self, request: Request) -> None:
        """Any valid credential."""
        self._authenticate(request, self._caller)

    def any_status(self, request: Request) -> None:
        """An existing token, also a disabled, expired or not yet valid one."""
        self._authenticate(request, self._caller_of_any_status)

    def _authenticate(self, request: Request, find: Callable[[Request], Caller]) -> None:
        if request.by_operator:
            request.known_caller = self.access.local_operator()
            return
        if not self._callers:  # an empty cache: there may be no users at all
            self.access.check_loaded()
        if self._limits_rates:
            self._check_address(request)
        request.known_caller = find(request)
        if self._limits_rates:
            self._count(request)

    def zone(self, need: Need, *, nodes: bool = False) -> Admit:
        """`need` on the zone of the path, by ID or, if the path has `{zone}`, also by name. With
        `nodes`, tokens of nodes are accepted too."""

        def admit(request: Request) -> None:
            self.anyone_or_node(request)
            caller = request.caller
            zone_id = request.arguments.get("zone_id")
            if zone_id is None:
                zone_id = self._directory.zone_id(unquote(request.arguments["zone"]))
            right = (caller.grants, need, nodes, zone_id)
            if right not in self._admitted:
                if not nodes:
                    self.access.no_node(caller)
                request.zone_id = zone_id
                self.access.zone(caller, need, zone_id)
                self._remember(caller, right)
            request.zone_id = zone_id

        return admit

    def _remember(self, caller: Caller, right: tuple[Grants, Need, bool, str]) -> None:
        """Cache that a token has a permission in a zone."""
        if caller.token is not None:  # the permissions of a key are not cached
            if len(self._admitted) >= _MOST_REMEMBERED:
                self._admitted.clear()
            self._admitted.add(right)

    def zone_itself(self, need: Need) -> Admit:
        """`need` on the zone of the path, without revealing the zone to callers that cannot read
        it."""

        def admit(request: Request) -> None:
            self.anyone(request)
            self.access.zone_by_id(request.caller, need, request.arguments["zone_id"])

        return admit

    def account(self, need: Need) -> Admit:
        """`need` on the account of the path."""

        def admit(request: Request) -> None:
            self.anyone(request)
            self.access.account_with(request.caller, need, request.arguments["account_id"])

        return admit

    def user(self, need: Need) -> Admit:
        """`need` on the user of the credential."""

        def admit(request: Request) -> None:
            self.anyone(request)
            self.access.user(request.caller, need)

        return admit

    def state(self, request: Request) -> None:
        """Permission to read the state that all accounts share; nodes have it too."""
        self.anyone_or_node(request)
        self.access.state(request.caller)

    def operator(self, request: Request) -> None:
        """Permission to change the state that all accounts share."""
        self.anyone(request)
        self.access.operator(request.caller)

    def whole(self, request: Request) -> None:
        """Permission to read everything except secrets."""
        self.anyone(request)
        self.access.whole(request.caller)

    def tokens(self, request: Request) -> None:
        """Permission to create tokens with every permission: an operator that can create tokens."""
        self.operator(request)
        self.access.user(request.caller, WRITE_USER_TOKENS)

    def charge(self, request: Request, items: int) -> None:
        """Count a request with many items as several requests: one more for each
        `ITEMS_A_REQUEST`. Raises RateLimited if the quota is already used up."""
        more = max(items, 0) // ITEMS_A_REQUEST
        if self._per_user is not None and more and not request.by_operator:
            caller = request.caller
            verdict = self._per_user.take(caller.user_id or caller.id, more)
            if not verdict.taken:
                raise RateLimited(verdict.reset)

    # Credentials

    def _caller(self, request: Request) -> Caller:
        header = request.headers.get(b"authorization")
        if header is None:
            return self._found(request, lambda: self._by_key(request))
        digest = sha256(header).digest()
        caller = self._callers.get(digest)
        return caller or self._found(request, lambda: self._by_token(request, header, digest))

    def _caller_of_any_status(self, request: Request) -> Caller:
        header = request.header(b"authorization")
        if header is None:
            return self._found(request, lambda: self._by_key(request))
        by_token, secret = self.access.by_token_of_any_status, bearer_of(header)
        return self._found(request, lambda: by_token(secret, request.client))

    def _by_token(self, request: Request, header: bytes, digest: bytes) -> Caller:
        caller = self.access.by_token(bearer_of(header.decode("latin-1")), request.client)
        if caller.token is not None and not caller.token.conditional:
            if len(self._callers) >= _MOST_REMEMBERED:
                self._callers.clear()
            self._callers[digest] = caller
        return caller

    def _found(self, request: Request, find: Callable[[], Caller]) -> Caller:
        try:
            return find()
        except (UnknownToken, UnusableToken, UnknownKey) as error:
            raise self._brake.failed(request.client, error) from None

    def _by_key(self, request: Request) -> Caller:
        email, key = request.header(b"x-auth-email"), request.header(b"x-auth-key")
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
        return self.access.by_key(email, key.encode())

    # Rate limits. A request with a body is checked twice, but counted once.

    def _check_address(self, request: Request) -> None:
        if self._per_address is not None and not request.counted:
            verdict = self._per_address.take(request.client)
            if not verdict.taken:
                raise RateLimited(verdict.reset)

    def _count(self, request: Request) -> None:
        if request.counted:
            return
        request.counted = True
        limiter = self._per_user
        if limiter is None:
            return
        # A user's tokens and key count together; an account's token counts for itself.
        verdict = limiter.take(request.caller.user_id or request.caller.id)
        quota = limiter.quota
        request.answer_headers += (
            ("ratelimit", f'"default";r={verdict.remaining};t={verdict.reset}'),
            ("ratelimit-policy", f'"default";q={quota.limit};w={quota.seconds}'),
        )
        if not verdict.taken:
            raise RateLimited(verdict.reset)


def bearer_of(header: str) -> bytes:
    """The token in an Authorization header. Raises MalformedCredentials."""
    match = _BEARER.fullmatch(header)
    if match is None:
        raise MalformedCredentials("bearer")
    return match[1].encode()
