"""API tokens, a user's and an account's: /user/tokens and /accounts/{account_id}/tokens.

Both have the same operations; a `TokenScope` says whose tokens a request is about and whether
the caller may do that.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from falcon.asgi import Request, Response

from originmap.api import envelope, errors
from originmap.api.auth import Guard
from originmap.api.body import read_object
from originmap.api.cloudflare.token_json import Groups, read_token, times_json, token_json
from originmap.api.query import page_of, part_of, text_of
from originmap.api.request import info_of
from originmap.domain.access import (
    READ_ACCOUNT_TOKENS,
    READ_USER_TOKENS,
    WRITE_ACCOUNT_TOKENS,
    WRITE_USER_TOKENS,
    PermissionGroup,
)
from originmap.domain.access_errors import UnknownToken
from originmap.domain.token import Owner, Token
from originmap.service.tokens import Tokens

MAX_PER_PAGE = 50
_VALID = envelope.Message(10000, "This API Token is valid and active")


class TokenScope(Protocol):
    """Whose tokens a request is about."""

    def owner(self, req: Request, account_id: str, *, write: bool) -> Owner:
        """The owner, if the caller may read or write its tokens. Raises AccessError."""


class UserScope:
    """The tokens of the user whose credential is used."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def owner(self, req: Request, account_id: str, *, write: bool) -> Owner:
        """As `TokenScope.owner`."""
        need = WRITE_USER_TOKENS if write else READ_USER_TOKENS
        user = self._guard.check(req, lambda caller: self._guard.access.user(caller, need))
        return Owner("user", user.id)


class AccountScope:
    """The tokens that an account owns."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def owner(self, req: Request, account_id: str, *, write: bool) -> Owner:
        """As `TokenScope.owner`."""
        need, access = WRITE_ACCOUNT_TOKENS if write else READ_ACCOUNT_TOKENS, self._guard.access
        account = self._guard.check(req, lambda c: access.account_with(c, need, account_id))
        return Owner("account", account.id)


class TokenList:
    """GET, POST …/tokens"""

    refusals = errors.CORE

    def __init__(self, scope: TokenScope, tokens: Tokens, groups: Groups) -> None:
        self._scope = scope
        self._tokens = tokens
        self._groups = groups

    async def on_get(self, req: Request, resp: Response, account_id: str = "") -> None:
        """A page of the owner's tokens."""
        owner = self._scope.owner(req, account_id, write=False)
        page, per_page = page_of(req, MAX_PER_PAGE)
        found = self._tokens.all(
            owner,
            include_expired=text_of(req, "include_expired") != "false",
            descending=text_of(req, "direction") == "desc",
        )
        part = [
            token_json(token, self._tokens.status(token), self._groups)
            for token in part_of(found, page, per_page)
        ]
        resp.data = envelope.page(part, page, per_page, len(found))

    async def on_post(self, req: Request, resp: Response, account_id: str = "") -> None:
        """Make a token; the only answer that ever carries its secret."""
        owner = self._scope.owner(req, account_id, write=True)
        draft = read_token(await read_object(req), owner)
        token, secret = await self._tokens.create(draft, info_of(req.scope).cause())
        answer = token_json(token, self._tokens.status(token), self._groups)
        resp.data = envelope.success(answer | {"value": secret})


class TokenItem:
    """GET, PUT, DELETE …/tokens/{token_id}"""

    refusals = errors.CORE

    def __init__(self, scope: TokenScope, tokens: Tokens, groups: Groups) -> None:
        self._scope = scope
        self._tokens = tokens
        self._groups = groups

    async def on_get(
        self, req: Request, resp: Response, token_id: str, account_id: str = ""
    ) -> None:
        """One token."""
        owner = self._scope.owner(req, account_id, write=False)
        resp.data = self._answer(self._tokens.get(owner, token_id))

    async def on_put(
        self, req: Request, resp: Response, token_id: str, account_id: str = ""
    ) -> None:
        """Replace what can be changed of it; a status that is not given stays as it is."""
        owner = self._scope.owner(req, account_id, write=True)
        body = await read_object(req)
        draft, cause = read_token(body, owner), info_of(req.scope).cause()
        keep = "status" not in body
        changed = await self._tokens.change(owner, token_id, draft, cause, keep_status=keep)
        resp.data = self._answer(changed)

    async def on_delete(
        self, req: Request, resp: Response, token_id: str, account_id: str = ""
    ) -> None:
        """Revoke it."""
        owner = self._scope.owner(req, account_id, write=True)
        await self._tokens.revoke(owner, token_id, info_of(req.scope).cause())
        resp.data = envelope.success({"id": token_id})

    def _answer(self, token: Token) -> bytes:
        return envelope.success(token_json(token, self._tokens.status(token), self._groups))


class TokenValue:
    """PUT …/tokens/{token_id}/value"""

    refusals = errors.CORE

    def __init__(self, scope: TokenScope, tokens: Tokens) -> None:
        self._scope = scope
        self._tokens = tokens

    async def on_put(
        self, req: Request, resp: Response, token_id: str, account_id: str = ""
    ) -> None:
        """Give it another secret, which is the answer. A body is not needed."""
        owner = self._scope.owner(req, account_id, write=True)
        await read_object(req)
        secret = await self._tokens.roll(owner, token_id, info_of(req.scope).cause())
        resp.data = envelope.success(secret)


class TokenVerify:
    """GET /user/tokens/verify, GET /accounts/{account_id}/tokens/verify"""

    refusals = errors.VERIFY

    def __init__(self, guard: Guard, tokens: Tokens) -> None:
        self._guard = guard
        self._tokens = tokens

    async def on_get(self, req: Request, resp: Response, account_id: str = "") -> None:
        """What the token that asks is. Needs no permission; a user's token is verified at
        /user, an account's at its account, as published."""
        caller = self._guard.caller(req, any_status=True, nodes=True)
        kind = "account" if account_id else "user"
        token = caller.token
        if token is None or token.owner.kind != kind or account_id not in ("", token.owner.id):
            raise UnknownToken
        status = self._tokens.status(token)
        messages = [_VALID] if self._tokens.usable(token) else []
        answer: dict[str, Any] = {"id": token.id, "status": str(status), **times_json(token)}
        resp.data = envelope.success(answer, messages)


class PermissionGroups:
    """GET …/tokens/permission_groups"""

    refusals = errors.CORE

    def __init__(self, scope: TokenScope, groups: Iterable[PermissionGroup]) -> None:
        self._scope = scope
        self._groups = tuple(groups)

    async def on_get(self, req: Request, resp: Response, account_id: str = "") -> None:
        """Every permission group, also those that grant nothing here."""
        self._scope.owner(req, account_id, write=False)
        name, scope = text_of(req, "name"), text_of(req, "scope")
        resp.data = envelope.success(
            [
                {"id": group.id, "name": group.name, "scopes": [group.scope]}
                for group in self._groups
                if name in (None, group.name) and scope in (None, group.scope)
            ]
        )
