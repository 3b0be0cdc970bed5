"""Tokens by their purpose: /originmap/v1/tokens[/{token}]."""

from typing import Annotated

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_as
from originmap.api.timestamps import timestamp
from originmap.domain.access.token import Token
from originmap.domain.access.token_access import Access, access_of
from originmap.service.access.operator_tokens import OperatorTokens

_MOST_ZONES = 1_000


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    access: Access
    zones: Annotated[list[str], msgspec.Meta(max_length=_MOST_ZONES)] = []
    colo: str = ""


_REQUEST = msgspec.json.Decoder(_Request)


class TokenList:
    """GET, POST /originmap/v1/tokens and DELETE …/tokens/{token}"""

    def __init__(self, tokens: OperatorTokens) -> None:
        self._tokens = tokens

    def list_tokens(self, request: Request) -> Response:
        """The tokens of all owners, without secrets."""
        arguments(request, ())
        return Response(envelope.success([_json(token) for token in self._tokens.all()]))

    async def create_token(self, request: Request) -> Response:
        """Create a token of the caller's user; only this response contains its secret."""
        body = read_as(request, _REQUEST)
        members = body.name, body.access, body.zones, body.colo.upper()
        user_id, cause = request.caller.user_id, request.cause()
        token, secret = await self._tokens.create(*members, user_id, cause)
        return Response(envelope.success(_json(token) | {"secret": secret}))

    async def revoke_token(self, request: Request) -> Response:
        """Revoke a token."""
        arguments(request, ())
        token_id, cause = request.arguments["token"], request.cause()
        await self._tokens.revoke(token_id, cause)
        return Response(envelope.success({"id": token_id}))


def _json(token: Token) -> dict[str, object]:
    access, zones, colos = access_of(token.policies)
    return {
        "id": token.id,
        "name": token.name,
        "access": access,
        "zones": zones,
        "colos": colos,
        "issued_on": timestamp(token.issued_on),
    }
