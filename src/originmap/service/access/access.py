"""Authentication of credentials and checks of permissions."""

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
"""The actor, in the history, of changes made through the local socket or directly in the
database."""

_NO_HASH = "0" * 64


class Access:
    """Authenticates callers and checks their permissions."""

    def __init__(self, directory: Directory, now: Now) -> None:
        self._directory = directory
        self._now = now

    def check_loaded(self) -> None:
        """Raises StoreEmpty if the database has no account yet, so that no credential can exist."""
        if not self._directory.loaded:
            raise StoreEmpty

    def local_operator(self) -> Caller:
        """Return the caller for local access: the operator may do everything, and its tokens are
        those of the first user. Access to the database file or its socket is the credential."""
        users = self._directory.users()
        user_id = users[0].id if users else ""
        return Caller(OPERATOR, Grants([everything_of(user_id)]), user_id, None)

    def by_token(self, secret: bytes, client: str) -> Caller:
        """Return the caller that has this token. Raises UnknownToken, UnusableToken,
        WrongLocation."""
        caller = self.by_token_of_any_status(secret, client)
        token = caller.token
        if token is not None and token.conditional and not token.usable(self._now()):
            raise UnusableToken
        return caller

    def by_token_of_any_status(self, secret: bytes, client: str) -> Caller:
        """Return the caller that has this token, even if it is disabled, expired or not yet valid.
        Raises UnknownToken, WrongLocation."""
        caller = self._directory.token_caller(hashlib.sha256(secret).hexdigest())
        if caller is None:
            raise UnknownToken
        limits = caller.token.request_ip if caller.token is not None else None
        if limits is not None and not limits.admits(client):
            raise WrongLocation(client)
        return caller

    def by_key(self, email: str, key: bytes) -> Caller:
        """Return the user with this email address and global API key. Raises UnknownKey, in the
        same time for a wrong address as for a wrong key."""
        user = self._directory.user_with_email(email)
        stored = user.key_hash if user else _NO_HASH
        same = hmac.compare_digest(stored, hashlib.sha256(key).hexdigest())
        if user is None or not same:
            raise UnknownKey
        return user_caller(user)

    def still(self, caller: Caller) -> bool:
        """Report whether `caller` still has the permissions that it had when it was
        authenticated."""
        if caller.id == OPERATOR:
            return True
        if caller.token is None:
            return self._directory.user(caller.id) is not None
        token = self._directory.token(caller.token.id)
        return token is not None and token == caller.token and token.usable(self._now())

    def zone(self, caller: Caller, need: Need, zone_id: str) -> Zone:
        """Return the zone if `caller` has permission `need` on it.

        Raises Forbidden, also for a zone that does not exist, so that callers cannot probe for
        zones. Only callers with `need` on all zones, and none denied, get ZoneNotFound.
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
        """Return the zone. Raises ZoneNotFound if it does not exist or `caller` cannot read it, and
        Forbidden if `caller` can read it but lacks `need`."""
        zone = self._directory.zone(zone_id)
        grants = caller.grants
        if zone is None or not grants.cover_zone(READ_ZONE, zone_id, zone.account_id):
            raise ZoneNotFound(zone_id)
        if not grants.cover_zone(need, zone_id, zone.account_id):
            raise Forbidden
        return zone

    def sees(self, caller: Caller, account: Account) -> bool:
        """Report whether `caller` has any permission in this account."""
        ids = (zone.id for zone in self._directory.zones() if zone.account_id == account.id)
        return caller.grants.touch_account(account.id, ids)

    def account(self, caller: Caller, account_id: str) -> Account:
        """Return the account. Raises AccountNotFound if it does not exist or `caller` cannot see
        it."""
        account = self._directory.account(account_id)
        if account is None or not self.sees(caller, account):
            raise AccountNotFound(account_id)
        return account

    def account_with(self, caller: Caller, need: Need, account_id: str) -> Account:
        """Return the account if `caller` has permission `need` on it. Raises AccountNotFound if it
        does not exist or `caller` cannot see it, and Forbidden if `need` is not met."""
        account = self.account(caller, account_id)
        if not caller.grants.cover_account(need, account_id):
            raise Forbidden
        return account

    def operator(self, caller: Caller) -> None:
        """Raises Forbidden unless `caller` may change what affects all accounts, such as the
        topology: that takes permission to write the settings of every account."""
        if not self.everywhere(caller, WRITE_ACCOUNT):
            raise Forbidden

    def no_node(self, caller: Caller) -> None:
        """Raises Forbidden if `caller` is a node."""
        if caller.grants.node is not None:
            raise Forbidden

    def state(self, caller: Caller) -> None:
        """Raises Forbidden unless `caller` is a node or may change what affects all accounts."""
        if caller.grants.node is None:
            self.operator(caller)

    def report(self, caller: Caller, colo: str, *, feeds_a_cache: bool) -> None:
        """Check that `caller` may report as a node in `colo`; "" if the node has none.

        A rollout waits for nodes that feed a cache, so only nodes and operators may report as one.
        Raises Forbidden, WrongColo.
        """
        if feeds_a_cache:
            self.state(caller)
        colos = caller.grants.colos
        if colos and colo not in colos:
            raise WrongColo(colos, colo)

    def whole(self, caller: Caller) -> None:
        """Raises Forbidden unless `caller` may copy the whole database, hashes of secrets included.

        That takes a token for replication, or permission to write the settings of every account and
        to read every zone; in both cases nothing may be denied.
        """
        if caller.grants.node is Group.REPLICATE and not caller.grants.deny_anything:
            return
        self.operator(caller)
        if caller.grants.deny_anything or not self._all_zones(caller, READ_MAPPINGS):
            raise Forbidden

    def readable_zones(self, caller: Caller, need: Need) -> list[Zone]:
        """Return every zone on which `caller` has permission `need`, by name."""
        return [
            zone
            for zone in self._directory.zones()
            if caller.grants.cover_zone(need, zone.id, zone.account_id)
        ]

    def every_zone_of(self, caller: Caller, need: Need, account_id: str) -> None:
        """Check that `caller` has permission `need` on every zone of an account, future zones
        included. Raises Forbidden, AccountNotFound."""
        denied = map(self._directory.zone, caller.grants.zones_denied(need))
        denied_here = any(zone is not None and zone.account_id == account_id for zone in denied)
        if denied_here or not caller.grants.cover_zones_of(need, account_id):
            raise Forbidden
        if self._directory.account(account_id) is None:
            raise AccountNotFound(account_id)

    def everywhere(self, caller: Caller, need: Need) -> bool:
        """Report whether `caller` has permission `need` on every account."""
        accounts = self._directory.accounts()
        return all(caller.grants.cover_account(need, account.id) for account in accounts)

    def user(self, caller: Caller, need: Need) -> User:
        """Return the user of the credential, if it has permission `need` on that user. Raises
        Forbidden, also for a token that an account owns."""
        user = self._directory.user(caller.user_id)
        if user is None or not caller.grants.cover_user(need, user.id):
            raise Forbidden
        return user

    def _all_zones(self, caller: Caller, need: Need) -> bool:
        """Report whether `caller` has permission `need` on every zone of every account. A denied
        zone counts even after it was deleted: the result must not reveal whether it exists."""
        accounts, grants = self._directory.accounts(), caller.grants
        return not grants.zones_denied(need) and all(
            grants.cover_zones_of(need, account.id) for account in accounts
        )
