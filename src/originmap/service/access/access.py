"""Checking credentials and rights."""

import hashlib
import hmac

from originmap.domain.access.errors import (
    Forbidden,
    UnknownKey,
    UnknownToken,
    UnusableToken,
    WrongColo,
    WrongLocation,
)
from originmap.domain.access.permissions import (
    READ_MAPPINGS,
    READ_ZONE,
    WRITE_ACCOUNT,
    Grants,
    Group,
    Need,
    everything_of,
)
from originmap.domain.errors import AccountNotFound, StoreEmpty, ZoneNotFound
from originmap.domain.zone.zone import Account, User, Zone
from originmap.service.access.directory import Caller, Directory, user_caller
from originmap.store.clock import Now

OPERATOR = "cli"
"""In the history, who changed something by the socket or the database itself."""

_NO_HASH = "0" * 64


class Access:
    """Who asks, and may they."""

    def __init__(self, directory: Directory, now: Now) -> None:
        self._directory = directory
        self._now = now

    def check_loaded(self) -> None:
        """Raises StoreEmpty where there is nobody yet who could have credentials."""
        if not self._directory.loaded:
            raise StoreEmpty

    def local_operator(self) -> Caller:
        """Whoever can open the database or the socket beside it, and so may do everything; whose
        tokens are those of the first user."""
        users = self._directory.users()
        user_id = users[0].id if users else ""
        return Caller(OPERATOR, Grants([everything_of(user_id)]), user_id, None)

    def by_token(self, secret: bytes, client: str) -> Caller:
        """Who has this token. Raises UnknownToken, UnusableToken, WrongLocation."""
        caller = self.by_token_of_any_status(secret, client)
        token = caller.token
        if token is not None and token.conditional and not token.usable(self._now()):
            raise UnusableToken
        return caller

    def by_token_of_any_status(self, secret: bytes, client: str) -> Caller:
        """As `by_token`, also for a token that is disabled, expired or not yet valid."""
        caller = self._directory.token_caller(hashlib.sha256(secret).hexdigest())
        if caller is None:
            raise UnknownToken
        limits = caller.token.request_ip if caller.token is not None else None
        if limits is not None and not limits.admits(client):
            raise WrongLocation(client)
        return caller

    def by_key(self, email: str, key: bytes) -> Caller:
        """The user with this address and global API key. Raises UnknownKey, after the same work
        whether the address or the key is wrong."""
        user = self._directory.user_with_email(email)
        stored = user.key_hash if user else _NO_HASH
        same = hmac.compare_digest(stored, hashlib.sha256(key).hexdigest())
        if user is None or not same:
            raise UnknownKey
        return user_caller(user)

    def still(self, caller: Caller) -> bool:
        """Whether `caller` has the rights that it had when it was checked."""
        if caller.id == OPERATOR:
            return True
        if caller.token is None:
            return self._directory.user(caller.id) is not None
        token = self._directory.token(caller.token.id)
        return token is not None and token == caller.token and token.usable(self._now())

    def zone(self, caller: Caller, need: Need, zone_id: str) -> Zone:
        """The zone, if `caller` may do there what `need` says.

        Raises Forbidden, for a zone that is not there too, so that nobody learns which zones
        exist; only callers that meet `need` on all zones, with none denied, get ZoneNotFound.
        """
        zone = self._directory.zone(zone_id)
        if zone is not None:
            if caller.grants.cover_zone(need, zone_id, zone.account_id):
                return zone
            raise Forbidden
        if self._all_zones(caller, need):
            raise ZoneNotFound(zone_id)
        raise Forbidden

    def zone_by_id(self, caller: Caller, need: Need, zone_id: str) -> Zone:
        """The zone itself. Raises ZoneNotFound where it is not there or cannot be seen, and
        Forbidden where it can be seen but `need` is not met."""
        zone = self._directory.zone(zone_id)
        grants = caller.grants
        if zone is None or not grants.cover_zone(READ_ZONE, zone_id, zone.account_id):
            raise ZoneNotFound(zone_id)
        if not grants.cover_zone(need, zone_id, zone.account_id):
            raise Forbidden
        return zone

    def sees(self, caller: Caller, account: Account) -> bool:
        """Whether `caller` may do anything at all in this account."""
        ids = (zone.id for zone in self._directory.zones() if zone.account_id == account.id)
        return caller.grants.touch_account(account.id, ids)

    def account(self, caller: Caller, account_id: str) -> Account:
        """The account. Raises AccountNotFound where it is not there or cannot be seen."""
        account = self._directory.account(account_id)
        if account is None or not self.sees(caller, account):
            raise AccountNotFound(account_id)
        return account

    def account_with(self, caller: Caller, need: Need, account_id: str) -> Account:
        """The account, if `caller` may do there what `need` says. Raises AccountNotFound as
        `account` does, and Forbidden."""
        account = self.account(caller, account_id)
        if not caller.grants.cover_account(need, account_id):
            raise Forbidden
        return account

    def operator(self, caller: Caller) -> None:
        """Whether `caller` may change what concerns all accounts, such as the topology: whoever
        may write the settings of each. Raises Forbidden."""
        if not self.everywhere(caller, WRITE_ACCOUNT):
            raise Forbidden

    def no_node(self, caller: Caller) -> None:
        """Whether `caller` may ask what is not for nodes. Raises Forbidden."""
        if caller.grants.node is not None:
            raise Forbidden

    def state(self, caller: Caller) -> None:
        """Whether `caller` may know what concerns all accounts: an operator, or a node. Raises
        Forbidden."""
        if caller.grants.node is None:
            self.operator(caller)

    def report(self, caller: Caller, colo: str, *, feeds_a_cache: bool) -> None:
        """Whether `caller` may report as a node in this colo, "" for none. A rollout waits for
        nodes that feed a cache: nobody but a node or an operator can hold it up. Raises
        Forbidden, WrongColo."""
        if feeds_a_cache:
            self.state(caller)
        colos = caller.grants.colos
        if colos and colo not in colos:
            raise WrongColo(colos, colo)

    def whole(self, caller: Caller) -> None:
        """Whether `caller` may have a copy of everything, hashes of secrets included: a token for
        replicate, or one that changes what concerns all accounts, reads every zone, and is denied
        nothing. Raises Forbidden."""
        if caller.grants.node is Group.REPLICATE and not caller.grants.deny_anything:
            return
        self.operator(caller)
        if caller.grants.deny_anything or not self._all_zones(caller, READ_MAPPINGS):
            raise Forbidden

    def readable_zones(self, caller: Caller, need: Need) -> list[Zone]:
        """Every zone on which `caller` meets `need`, by name."""
        return [
            zone
            for zone in self._directory.zones()
            if caller.grants.cover_zone(need, zone.id, zone.account_id)
        ]

    def every_zone_of(self, caller: Caller, need: Need, account_id: str) -> None:
        """Whether `caller` may do on every zone of an account what `need` says, those to come
        included. Raises Forbidden, AccountNotFound."""
        denied = map(self._directory.zone, caller.grants.zones_denied(need))
        theirs = any(zone is not None and zone.account_id == account_id for zone in denied)
        if theirs or not caller.grants.cover_zones_of(need, account_id):
            raise Forbidden
        if self._directory.account(account_id) is None:
            raise AccountNotFound(account_id)

    def everywhere(self, caller: Caller, need: Need) -> bool:
        """Whether `caller` meets `need` on every account."""
        accounts = self._directory.accounts()
        return all(caller.grants.cover_account(need, account.id) for account in accounts)

    def user(self, caller: Caller, need: Need) -> User:
        """The user whose credential it is, if it meets `need` there. Raises Forbidden, for a
        token that an account owns too."""
        user = self._directory.user(caller.user_id)
        if user is None or not caller.grants.cover_user(need, user.id):
            raise Forbidden
        return user

    def _all_zones(self, caller: Caller, need: Need) -> bool:
        """Whether `caller` meets `need` on every zone of every account. A zone that is denied
        counts also when it is gone: an answer must not tell whether it is."""
        accounts, grants = self._directory.accounts(), caller.grants
        return not grants.zones_denied(need) and all(
            grants.cover_zones_of(need, account.id) for account in accounts
        )
