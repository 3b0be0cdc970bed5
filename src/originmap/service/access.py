"""Checking credentials and rights."""

import hashlib
import hmac

from originmap.domain.access import Need
from originmap.domain.errors import Forbidden, UnknownKey, UnknownToken, ZoneNotFound
from originmap.domain.zone import Zone
from originmap.service.directory import Caller, Directory, user_caller

_NO_HASH = "0" * 64


class Access:
    """Who asks, and may they."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def by_token(self, secret: bytes) -> Caller:
        """Who has this token. Raises UnknownToken."""
        caller = self._directory.token_caller(hashlib.sha256(secret).hexdigest())
        if caller is None:
            raise UnknownToken
        return caller

    def by_key(self, email: str, key: bytes) -> Caller:
        """The user with this address and global API key. Raises UnknownKey, after the same work
        whether the address or the key is wrong."""
        user = self._directory.user(email)
        stored = user.key_hash if user else _NO_HASH
        same = hmac.compare_digest(stored, hashlib.sha256(key).hexdigest())
        if user is None or not same:
            raise UnknownKey
        return user_caller(user)

    def zone(self, caller: Caller, need: Need, zone_id: str) -> Zone:
        """The zone, if `caller` may do there what `need` says.

        Raises Forbidden, for a zone that is not there too, so that nobody learns which zones
        exist; only whoever may see all zones gets ZoneNotFound.
        """
        zone = self._directory.zone(zone_id)
        if zone is not None:
            if caller.grants.cover_zone(need, zone_id, zone.account_id):
                return zone
            raise Forbidden
        accounts = self._directory.accounts()
        if all(caller.grants.cover_account(need, account.id) for account in accounts):
            raise ZoneNotFound(zone_id)
        raise Forbidden
