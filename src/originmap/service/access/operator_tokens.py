"""Tokens created by purpose, and tokens of all owners, for operators."""

from collections.abc import Collection
from dataclasses import replace

from originmap.domain.access.permissions import GROUP_IDS
from originmap.domain.access.token import Owner, Token, hash_secret
from originmap.domain.access.token_access import Access, policy_of
from originmap.domain.access.token_rules import check_token, create_token, revoke_token
from originmap.domain.errors import StoreEmpty
from originmap.domain.history.change import Cause
from originmap.service.access.directory import Directory
from originmap.service.access.secret import new_id, new_secret
from originmap.store.clock import Now
from originmap.store.port import Store


class OperatorTokens:
    """Lists, creates and revokes tokens of any owner. The caller checks permissions."""

    def __init__(self, store: Store, directory: Directory, now: Now) -> None:
        self._store = store
        self._directory = directory
        self._now = now

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
        owner, secret, now = Owner("user", user_id), new_secret(), self._now()
        token = Token(new_id(), name, hash_secret(secret), (policy,), owner, now, now)
        check_token(token, GROUP_IDS)
        await self._store.write_records(create_token(token), cause)
        return token, secret

    async def revoke(self, token_id: str, cause: Cause) -> None:
        """Delete a token of any owner; it stops working with the commit. Raises TokenNotFound."""
        await self._store.write_records(revoke_token(token_id), cause)
