"""Who and what there is, in memory: accounts, zones, and the credentials that work.

A projection of the store's records, so that checking a credential costs no database read. The
store tells it every committed change before the one who made it gets an answer: a revoked token
stops at once.
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
    """Somebody whose credential was checked.

    `id` is the token's or, for a global API key, the user's; `user_id` is "" for a token that
    an account owns.
    """

    id: str
    grants: Grants
    user_id: str
    token: Token | None  # None for a global API key


class Directory:
    """Looks accounts, users, zones and credentials up."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._zones: dict[str, Zone] = {}
        self._zones_by_name: dict[str, Zone] = {}
        self._tokens: dict[str, Token] = {}
        self._users: dict[str, User] = {}
        self._emails: dict[str, User] = {}
        self._callers: dict[str, Caller] = {}  # by hash of the token's secret

    def apply(self, changes: Sequence[RecordChange]) -> None:
        """Follow committed changes; a `store.port.RecordListener`."""
        for change in changes:
            if change.before is not None:
                self._remove(change.before)
            if change.after is not None:
                self._add(change.after)

    @property
    def loaded(self) -> bool:
        """Whether there is any account: every database but a replica's starts with one."""
        return bool(self._accounts)

    def zone(self, zone_id: str) -> Zone | None:
        """The zone with this id."""
        return self._zones.get(zone_id)

    def existing_zone(self, zone_id: str) -> Zone:
        """The zone with this id. Raises ZoneNotFound."""
        zone = self._zones.get(zone_id)
        if zone is None:
            raise ZoneNotFound(zone_id)
        return zone

    def zone_named(self, name: str) -> Zone | None:
        """The zone with this name, in Unicode or in A-labels."""
        return self._zones_by_name.get(lookup_name(name))

    def zone_id(self, id_or_name: str) -> str:
        """The id of the zone that has this name; else what was given, which may be an id."""
        named = self.zone_named(id_or_name)
        return named.id if named else id_or_name

    def zones(self) -> list[Zone]:
        """Every zone, by name."""
        return sorted(self._zones.values(), key=lambda zone: zone.name)

    def token(self, token_id: str) -> Token | None:
        """The token with this id."""
        return self._tokens.get(token_id)

    def tokens(self) -> list[Token]:
        """Every token, by name, then age."""
        return sorted(self._tokens.values(), key=lambda token: (token.name, token.issued_on))

    def account(self, account_id: str) -> Account | None:
        """The account with this id."""
        return self._accounts.get(account_id)

    def accounts(self) -> list[Account]:
        """Every account, oldest first."""
        return sorted(self._accounts.values(), key=lambda account: account.created_on)

    def token_caller(self, secret_hash: str) -> Caller | None:
        """Who has the token with this hash. Found by hash: how long it takes tells about the
        hash, which says nothing of the secret."""
        return self._callers.get(secret_hash)

    def user(self, user_id: str) -> User | None:
        """The user with this id."""
        return self._users.get(user_id)

    def user_with_email(self, email: str) -> User | None:
        """The user with this address."""
        return self._emails.get(email)

    def users(self) -> list[User]:
        """Every user, oldest first."""
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
    """A user's own key grants everything."""
    return Caller(user.id, Grants([everything_of(user.id)]), user.id, None)
