"""API tokens, a user's and an account's: /user/tokens and /accounts/{account_id}/tokens.

Both have the same operations; the path identifies the owner of the tokens.
"""

from collections.abc import Iterable
from typing import Any

from originmap.api import envelope
from originmap.api.body import object_of
from originmap.api.cloudflare.token_json import Groups, read_token, times_json, token_json
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.query import page_of, part_of, text_of
from originmap.domain.access.errors import UnknownToken
from originmap.domain.access.permissions import NODE_GROUPS, PermissionGroup
from originmap.domain.access.token import Owner, Token
from originmap.service.access.tokens import Tokens

MAX_PER_PAGE = 50
_VALID = envelope.Message(10000, "This API Token is valid and active")


class TokenRoutes:
    """GET, POST …/tokens and GET, PUT, DELETE …/tokens/{token_id}, and those below them"""

    def __init__(self, tokens: Tokens, groups: Iterable[PermissionGroup]) -> None:
        self._tokens = tokens
        self._all_groups = tuple(groups)
        self._groups: Groups = {group.id: group for group in (*self._all_groups, *NODE_GROUPS)}

    def list_tokens(self, request: Request) -> Response:
        """A page of the owner's tokens."""
        page, per_page = page_of(request, MAX_PER_PAGE)
        tokens = self._tokens.all(
            _owner(request),
            include_expired=text_of(request, "include_expired") != "false",
            descending=text_of(request, "direction") == "desc",
        )
        part = [self._json(token) for token in part_of(tokens, page, per_page)]
        return Response(envelope.page(part, page, per_page, len(tokens)))

    async def create_token(self, request: Request) -> Response:
        """Create a token; only this response contains its secret."""
        draft = read_token(object_of(request.body), _owner(request))
        token, secret = await self._tokens.create(draft, request.cause())
        return Response(envelope.success(self._json(token) | {"value": secret}))

    def get_token(self, request: Request) -> Response:
        """One token."""
        token = self._tokens.get(_owner(request), request.arguments["token_id"])
        return Response(envelope.success(self._json(token)))

    async def change_token(self, request: Request) -> Response:
        """Replace the changeable members of a token; without a status, it keeps its own."""
        owner, body = _owner(request), object_of(request.body)
        draft, cause = read_token(body, owner), request.cause()
        token_id, keep = request.arguments["token_id"], "status" not in body
        changed = await self._tokens.change(owner, token_id, draft, cause, keep_status=keep)
        return Response(envelope.success(self._json(changed)))

    async def revoke_token(self, request: Request) -> Response:
        """Revoke a token."""
        token_id = request.arguments["token_id"]
        await self._tokens.revoke(_owner(request), token_id, request.cause())
        return Response(envelope.success({"id": token_id}))

    async def roll_token(self, request: Request) -> Response:
        """Replace the secret of a token and return the new one. A body is not required."""
        object_of(request.body)
        token_id = request.arguments["token_id"]
        secret = await self._tokens.roll(_owner(request), token_id, request.cause())
        return Response(envelope.success(secret))

    def verify_token(self, request: Request) -> Response:
        """The status of the request's own token. Needs no permission; a user's token is verified
        at /user, an account's token at its account, as published."""
        account_id, token = request.arguments.get("account_id", ""), request.caller.token
        kind = "account" if account_id else "user"
        if token is None or token.owner.kind != kind or account_id not in ("", token.owner.id):
            raise UnknownToken
        status = self._tokens.status(token)
        messages = [_VALID] if self._tokens.usable(token) else []
        answer: dict[str, object] = {"id": token.id, "status": str(status), **times_json(token)}
        return Response(envelope.success(answer, messages))

    def list_permission_groups(self, request: Request) -> Response:
        """Every permission group, also those without an effect in Originmap."""
        name, scope = text_of(request, "name"), text_of(request, "scope")
        groups = [
            {"id": group.id, "name": group.name, "scopes": [group.scope]}
            for group in self._all_groups
            if name in (None, group.name) and scope in (None, group.scope)
        ]
        return Response(envelope.success(groups))

    def _json(self, token: Token) -> dict[str, Any]:
        return token_json(token, self._tokens.status(token), self._groups)


def _owner(request: Request) -> Owner:
    """The owner in the path."""
    account_id = request.arguments.get("account_id")
    if account_id is None:
        return Owner("user", request.caller.user_id)
    return Owner("account", account_id)
