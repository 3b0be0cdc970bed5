"""Tokens created by purpose, and tokens of all owners, for operators."""

from collections.abc import Collection
from dataclasses import replace

from originmap.domain.access.token import Owner, Token
from originmap.domain.access.token_access import Access, policy_of
from originmap.domain.errors import StoreEmpty, TokenNotFound
from originmap.domain.history.change import Cause
from originmap.service.access.directory import Directory
from originmap.service.access.secret import new_id
from originmap.service.access.tokens import Tokens


class OperatorTokens:
    """Lists, creates and revokes tokens of any owner. The caller checks permissions."""

    def __init__(self, tokens: Tokens, directory: Directory) -> None:
        self._tokens = tokens
        self._directory = directory

    def all(self) -> list[Token]:
        """Return every token, by name, then age."""
        return self._directory.tokens()

    async def create(
        self,
        name: str,
        access: Access,
        zones: Collection[str],
        colo: str,
        user_id: str,
        cause: Cause,
    ) -> tuple[Token, str]:
        """Create a token of a user for some zones, by ID or name, or for all; return it with its
        secret, which cannot be read again. Raises InvalidToken, ZoneNotFound, and StoreEmpty if
        there is no user."""
        if not user_id:
            raise StoreEmpty
        zone_ids = [self._directory.existing_zone(self._directory.zone_id(z)).id for z in zones]
        policy = replace(policy_of(access, zone_ids, colo, user_id), id=new_id())
        draft = Token("", name, "", (policy,), Owner("user", user_id), 0, 0)
        return await self._tokens.create(draft, cause)

    async def revoke(self, token_id: str, cause: Cause) -> None:
        """Delete a token of any owner; it stops working with the commit. Raises TokenNotFound."""
        token = self._directory.token(token_id)
        if token is None:
            raise TokenNotFound(token_id)
        await self._tokens.revoke(token.owner, token_id, cause)
