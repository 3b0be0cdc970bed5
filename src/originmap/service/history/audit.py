"""The audit log: entries from the history, newest first, filtered, without secrets.

Every committed change of a mapping or a record is in the history with its cause, so there is no
second log that could disagree with it.
"""

from collections.abc import AsyncIterator, Callable, Container
from dataclasses import dataclass
from typing import NamedTuple

from originmap.domain.access.token import Token
from originmap.domain.history.change import Change
from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.mapping import MappingChange
from originmap.domain.number import whole
from originmap.domain.zone.name import lookup_name
from originmap.domain.zone.zone import Account, Zone
from originmap.service.access.directory import Directory
from originmap.service.history.audit_values import (
    UNLIMITED,
    largest_member,
    mapping_values,
    record_value,
)
from originmap.service.history.past_zones import PastZones
from originmap.service.turns import Turns
from originmap.store.port import Store

_CHUNK = 250
MAX_LOOKED_THROUGH = 200_000
"""Maximum of changes that one query reads; it returns the matches among them."""

EVERYWHERE = ""
"""The account of changes that concern all accounts."""
_BOOKKEEPING = (Kind.HOOK_POSITION, Kind.DEAD_LETTERS)
"""Records that a server writes by itself."""


class AuditQuery(NamedTuple):
    """The filters of a query; None matches everything. Times are in microseconds since 1970 UTC:
    from `since` on, and before `before`."""

    since: int | None = None
    before: int | None = None
    action: str | None = None
    actor_email: str | None = None
    actor_ip: str | None = None
    zone_name: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change for display. `old` and `new` are JSON objects, None if the object did not exist
    before or after; in lists, large members of a record are replaced by their size and digest."""

    id: str
    at: int
    action: str  # "add", "update" or "delete"
    actor_id: str
    actor_email: str  # "" if the credential is not a user's, or was deleted
    actor_ip: str
    request_id: str
    # "origin_cloud_region", or a kind of record
    resource_type: str
    resource_id: str
    zone_id: str
    zone_name: str
    old: dict[str, object] | None
    new: dict[str, object] | None


class Audit:
    """Queries the history."""

    def __init__(
        self,
        store: Store,
        directory: Directory,
        zones: PastZones,
        at_most: int = MAX_LOOKED_THROUGH,
        turns: Turns | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._zones = zones
        self._at_most = at_most
        self.turns = turns or Turns()

    async def entries(
        self,
        query: AuditQuery,
        skip: int,
        limit: int,
        accounts: Container[str] | None = None,
        hidden: Callable[[Zone], bool] = lambda zone: False,
    ) -> list[AuditEntry]:
        """Return the entries that match `query`, newest first.

        If `accounts` is set, only entries of these accounts are returned; entries of zones for
        which `hidden` is true are left out. The changes of an account are those of its zones and
        its own tokens. Changes of users and their tokens may name zones of any account, so their
        account is EVERYWHERE.
        """
        entries: list[AuditEntry] = []
        zone_name = _zone_name(query)
        # A single entry is whole.
        largest = UNLIMITED if query.id is not None else largest_member(limit)
        async for change in self._newest_first(query):
            if not self._is_wanted(change, query):
                continue
            zone = await self._zones.zone(change.zone_id) if change.zone_id else None
            if accounts is not None and _account(change, zone) not in accounts:
                continue
            if zone is not None and hidden(zone):
                continue
            if zone_name not in (None, lookup_name(zone.shown_name) if zone else ""):
                continue
            if skip:
                skip -= 1
                continue
            entries.append(await self._entry(change, zone, largest))
            if len(entries) >= limit:
                break
        return entries

    async def _newest_first(self, query: AuditQuery) -> AsyncIterator[Change]:
        """Yield the changes in the time range of `query`, newest first, up to the limit of changes
        to read."""
        before, left = self._store.revision + 1, self._at_most
        if query.id is not None:
            before, left = self._revision(query.id) + 1, 1
        elif query.before is not None:
            before = await self._first_at(query.before)
        while left:
            await self.turns.next()  # other requests are served during a long read
            chunk = await self._store.changes_before(before, min(left, _CHUNK))
            if not chunk:
                return
            for change in chunk:
                if query.since is not None and change.at < query.since:
                    return
                if (query.before is None or change.at < query.before) and not _by_itself(change):
                    yield change
            before, left = chunk[-1].revision, left - len(chunk)

    def _is_wanted(self, change: Change, query: AuditQuery) -> bool:
        """Report whether the ID, the action and the actor match. They are checked first, because
        creating an entry costs more."""
        if query.id not in (None, self._id(change)):
            return False
        if query.action not in (None, _action(change.what)):
            return False
        if query.actor_ip is not None and query.actor_ip != change.cause.client:
            return False
        email = query.actor_email
        return email is None or email == self._email(change.cause.credential)

    def _id(self, change: Change) -> str:
        return f"{self._store.epoch}-{change.revision}"

    def _revision(self, id_: str) -> int:
        """Return the revision in the ID of an entry, 0 if the ID is invalid."""
        epoch, _, number = id_.rpartition("-")
        revision = whole(number, 1, self._store.revision)
        return revision or 0 if epoch == self._store.epoch else 0

    async def _first_at(self, time: int) -> int:
        """Return the first revision committed at `time` or later. Times grow with revisions."""
        low, high = self._store.oldest, self._store.revision
        while low < high:
            middle = (low + high) // 2
            after = await self._store.changes(middle, 1)
            if after and after[0].at < time:
                low = middle + 1
            else:
                high = middle
        return low + 1

    async def _entry(self, change: Change, zone: Zone | None, largest: int) -> AuditEntry:
        what = change.what
        if isinstance(what, MappingChange):
            kind, id_ = "origin_cloud_region", addresses.text(what.address)
            old, new = mapping_values(what)
        else:
            kind, id_ = what.key.kind.value, what.key.id
            await self.turns.next()  # a record can have thousands of members
            old = record_value(what.before, largest)
            await self.turns.next()
            new = record_value(what.after, largest)
        return AuditEntry(
            id=self._id(change),
            at=change.at,
            action=_action(what),
            actor_id=change.cause.credential,
            actor_email=self._email(change.cause.credential),
            actor_ip=change.cause.client,
            request_id=change.cause.request_id,
            resource_type=kind,
            resource_id=id_,
            zone_id=change.zone_id,
            zone_name=zone.shown_name if zone else "",
            old=old,
            new=new,
        )

    def _email(self, credential: str) -> str:
        token = self._directory.token(credential)
        if token is not None and token.owner.kind != "user":
            return ""
        user = self._directory.user(token.owner.id if token else credential)
        return user.email if user else ""


def _by_itself(change: Change) -> bool:
    return isinstance(change.what, RecordChange) and change.what.key.kind in _BOOKKEEPING


def _account(change: Change, zone: Zone | None) -> str:
    """Return the account that a change concerns, EVERYWHERE if it concerns all."""
    if change.zone_id:
        return zone.account_id if zone else "unknown"
    value = change.what.after or change.what.before
    if isinstance(value, Account):
        return value.id
    if isinstance(value, Token) and value.owner.kind == "account":
        return value.owner.id
    return EVERYWHERE


def _zone_name(query: AuditQuery) -> str | None:
    """Return the zone name of the query in A-labels, because either form of the name matches."""
    name = query.zone_name
    return name if name is None or name.isascii() else lookup_name(name)


def _action(what: MappingChange | RecordChange) -> str:
    return "add" if what.before is None else "delete" if what.after is None else "update"
