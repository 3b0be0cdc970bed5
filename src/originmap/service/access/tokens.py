"""Creating, changing and revoking API tokens."""

from collections.abc import Collection
from dataclasses import replace

from originmap.domain.access.token import Owner, Token, TokenStatus, hash_secret
from originmap.domain.access.token_rules import (
    change_token,
    check_token,
    create_token,
    revoke_token,
    roll_token,
)
from originmap.domain.errors import TokenNotFound
from originmap.domain.history.change import Cause
from originmap.service.access.directory import Directory
from originmap.service.access.secret import new_id, new_secret
from originmap.store.clock import Now
from originmap.store.port import Store


class Tokens:
    """Manages the tokens of an owner. The caller checks permissions.

    `owner` limits every operation: tokens of another owner are out of reach.
    """

    def __init__(
        self, store: Store, directory: Directory, known_groups: Collection[str], now: Now
    ) -> None:
        self._store = store
        self._directory = directory
        self._known_groups = known_groups
        self._now = now

    def all(self, owner: Owner, *, include_expired: bool, descending: bool = False) -> list[Token]:
        """Return the owner's tokens, oldest first."""
        now = self._now()
        tokens = [
            token
            for token in self._directory.tokens()
            if token.owner == owner
            and (include_expired or token.status(now) is not TokenStatus.EXPIRED)
        ]
        return sorted(tokens, key=lambda token: (token.issued_on, token.id), reverse=descending)

    def get(self, owner: Owner, token_id: str) -> Token:
        """Return one token. Raises TokenNotFound."""
        token = self._directory.token(token_id)
        if token is None or token.owner != owner:
            raise TokenNotFound(token_id)
        return token

    def usable(self, token: Token) -> bool:
        """Report whether the token can be used now."""
        return token.usable(self._now())

    def status(self, token: Token) -> TokenStatus:
        """Return the token's current status."""
        return token.status(self._now())

    async def create(self, draft: Token, cause: Cause) -> tuple[Token, str]:
        """Create a token from `draft`, with a new ID and secret. The secret cannot be read again.
        Raises InvalidToken, UnknownPermissionGroup, ZoneNotFound."""
        secret, now = new_secret(), self._now()
        token = replace(
            draft, id=new_id(), secret_hash=hash_secret(secret), issued_on=now, modified_on=now
        )
        check_token(token, self._known_groups)
        await self._store.write_records(create_token(token), cause)
        return token, secret

    async def change(
        self, owner: Owner, token_id: str, draft: Token, cause: Cause, *, keep_status: bool
    ) -> Token:
        """Replace name, policies and limits, and, unless `keep_status`, the status. Raises
        InvalidToken, UnknownPermissionGroup, ZoneNotFound, TokenNotFound."""
        check_token(draft, self._known_groups)
        new = replace(draft, modified_on=self._now())
        done = await self._store.write_records(
            change_token(token_id, owner, new, keep_status=keep_status), cause
        )
        return done.outcome

    async def roll(self, owner: Owner, token_id: str, cause: Cause) -> str:
        """Replace the secret of a token and return the new one. Raises TokenNotFound."""
        secret = new_secret()
        decide = roll_token(token_id, owner, hash_secret(secret), self._now())
        await self._store.write_records(decide, cause)
        return secret

    async def revoke(self, owner: Owner, token_id: str, cause: Cause) -> None:
        """Delete a token; it stops working with the commit. Raises TokenNotFound."""
        await self._store.write_records(revoke_token(token_id, owner), cause)
