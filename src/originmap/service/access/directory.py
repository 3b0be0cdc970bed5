"""Accounts, zones, users and valid credentials, in memory.

It is a projection of the store's records, so that authentication needs no database read. The store
applies every committed change to it before the write is acknowledged: a revoked token stops working
at once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.access.permissions import Grants, everything_of
from originmap.domain.access.token import Token
from originmap.domain.errors import ZoneNotFound
from originmap.domain.history.record import RecordChange, Value
from originmap.domain.zone.name import lookup_name
from originmap.domain.zone.zone import Account, User, Zone


class Caller(NamedTuple):
    """An authenticated caller.

    `id` is the ID of the token or, for a global API key, of the user. `user_id` is "" for a token
    that an account owns.
    """

    id: str
    grants: Grants
    user_id: str
    token: Token | None  # None for a global API key


class Directory:
    """Looks up accounts, users, zones and credentials."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._zones: dict[str, Zone] = {}
        self._zones_by_name: dict[str, Zone] = {}
        self._tokens: dict[str, Token] = {}
        self._users: dict[str, User] = {}
        self._emails: dict[str, User] = {}
        self._callers: dict[str, Caller] = {}  # by hash of the token's secret

    def apply(self, changes: Sequence[RecordChange]) -> None:
        """Apply committed changes; a `store.port.RecordListener`."""
        for change in changes:
            if change.before is not None:
                self._remove(change.before)
            if change.after is not None:
                self._add(change.after)

    @property
    def loaded(self) -> bool:
        """Report whether there is any account. Only an empty replica has none."""
        return bool(self._accounts)

    def zone(self, zone_id: str) -> Zone | None:
        """Return the zone with this ID."""
        return self._zones.get(zone_id)

    def existing_zone(self, zone_id: str) -> Zone:
        """Return the zone with this ID. Raises ZoneNotFound."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise ZoneNotFound(zone_id)
        return zone

    def zone_named(self, name: str) -> Zone | None:
        """Return the zone with this name, in Unicode or in A-labels."""
        return self._zones_by_name.get(lookup_name(name))

    def zone_id(self, id_or_name: str) -> str:
        """Return the ID of the zone with this name; without one, return `id_or_name` as it is."""
        named = self.zone_named(id_or_name)
        return named.id if named else id_or_name

    def zones(self) -> list[Zone]:
        """Return every zone, by name."""
        return sorted(self._zones.values(), key=lambda zone: zone.name)

    def token(self, token_id: str) -> Token | None:
        """Return the token with this ID."""
        return self._tokens.get(token_id)

    def tokens(self) -> list[Token]:
        """Return every token, by name, then age."""
        return sorted(self._tokens.values(), key=lambda token: (token.name, token.issued_on))

    def account(self, account_id: str) -> Account | None:
        """Return the account with this ID."""
        return self._accounts.get(account_id)

    def accounts(self) -> list[Account]:
        """Return every account, oldest first."""
        return sorted(self._accounts.values(), key=lambda account: account.created_on)

    def token_caller(self, secret_hash: str) -> Caller | None:
        """Return the caller with this token. The lookup is by hash, so its duration reveals nothing
        about the secret."""
        return self._callers.get(secret_hash)

    def user(self, user_id: str) -> User | None:
        """Return the user with this ID."""
        return self._users.get(user_id)

    def user_with_email(self, email: str) -> User | None:
        """Return the user with this email address."""
        return self._emails.get(email)

    def users(self) -> list[User]:
        """Return every user, oldest first."""
        return sorted(self._users.values(), key=lambda user: user.created_on)

    def _add(self, value: Value) -> None:
        match value:
            case Zone():
                self._zones[value.id] = self._zones_by_name[value.name] = value
            case Token():
                user_id = value.owner.id if value.owner.kind == "user" else ""
                caller = Caller(value.id, Grants(value.policies), user_id, value)
                self._tokens[value.id] = value
                self._callers[value.secret_hash] = caller
            case User():
                self._users[value.id] = self._emails[value.email] = value
            case Account():
                self._accounts[value.id] = value

    def _remove(self, value: Value) -> None:
        match value:
            case Zone():
                del self._zones[value.id], self._zones_by_name[value.name]
            case Token():
                del self._tokens[value.id], self._callers[value.secret_hash]
            case User():
                del self._users[value.id], self._emails[value.email]
            case Account():
                del self._accounts[value.id]


def user_caller(user: User) -> Caller:
    """Return the caller for a user's global API key, which grants everything."""
    return Caller(user.id, Grants([everything_of(user.id)]), user.id, None)
