"""Permissions: permission groups, policies, and their evaluation.

A policy allows or denies permission groups on resources. `Grants` holds a token's policies in a
form that is fast to evaluate: a few dictionary lookups and bit operations for each request. Deny
wins: if a group is denied, no other group restores its permission.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple


class Group(IntFlag):
    """The permission groups that grant something here. Tokens can have the other published
    groups too, which grant nothing."""

    ZONE_READ = 1
    ZONE_WRITE = 2
    ZONE_SETTINGS_READ = 4
    ZONE_SETTINGS_WRITE = 8
    ACCOUNT_SETTINGS_READ = 16
    ACCOUNT_SETTINGS_WRITE = 32
    ACCOUNT_TOKENS_READ = 64
    ACCOUNT_TOKENS_WRITE = 128
    USER_TOKENS_READ = 256
    USER_TOKENS_WRITE = 512
    USER_DETAILS_READ = 1024
    USER_DETAILS_WRITE = 2048
    EDGE = 4096
    REPLICATE = 8192


# Published ids: the API's list of permission groups, and its page "API token permissions".
GROUP_IDS = {
    "c8fed203ed3043cba015a93ad1616f1f": Group.ZONE_READ,
    "e6d2666161e84845a636613608cee8d5": Group.ZONE_WRITE,
    "517b21aee92c4d89936c976ba6e4be55": Group.ZONE_SETTINGS_READ,
    "3030687196b94b638145a3953da2b699": Group.ZONE_SETTINGS_WRITE,
    "c1fde68c7bcc44588cbb6ddbc16d6480": Group.ACCOUNT_SETTINGS_READ,
    "1af1fa2adc104452b74a9a3364202f20": Group.ACCOUNT_SETTINGS_WRITE,
    "eb56a6953c034b9d97dd838155666f06": Group.ACCOUNT_TOKENS_READ,
    "5bc3f8b21c554832afc660159ab75fa4": Group.ACCOUNT_TOKENS_WRITE,
    "0cc3a61731504c89b99ec1be78b77aa0": Group.USER_TOKENS_READ,
    "686d18d5ac6c441c867cbf6771e58a0a": Group.USER_TOKENS_WRITE,
    "8acbe5bb0d54464ab867149d7f7cf8ac": Group.USER_DETAILS_READ,
    "55a5e17cc99e4a3fa1f3432d262f2e55": Group.USER_DETAILS_WRITE,
}


# Our own groups, not published. A token with one of them has no other group: see `node_rights`.
NODE_GROUP_IDS = {
    "6f726967696e6d61700000000000ed6e": Group.EDGE,
    "6f726967696e6d61700000000000c0de": Group.REPLICATE,
}
_GROUPS = GROUP_IDS | NODE_GROUP_IDS


class PermissionGroup(NamedTuple):
    """A published permission group, whether or not it grants something here."""

    id: str
    name: str
    scope: str  # "com.cloudflare.api.account.zone" and the like


NODE_GROUPS = tuple(
    PermissionGroup(id_, f"Originmap {(group.name or '').capitalize()}", "")
    for id_, group in NODE_GROUP_IDS.items()
)
"""The names of our own groups, for responses with a token."""


def group_id(group: Group) -> str:
    """The id of a group."""
    return next(id_ for id_, known in _GROUPS.items() if known is group)


ZONE_PREFIX = "com.cloudflare.api.account.zone."
ACCOUNT_PREFIX = "com.cloudflare.api.account."
USER_PREFIX = "com.cloudflare.api.user."
ALL_ZONES = ZONE_PREFIX + "*"
ALL_ACCOUNTS = ACCOUNT_PREFIX + "*"
COLO_PREFIX = "originmap.colo."
"""Our own resource: a colo that a node reports as."""


class Need(NamedTuple):
    """The permission that a request needs: a group in `allowed`, and no group in `denied` denied.

    Plain integers, because operations on an IntFlag take ten times as long, and every request
    needs some.
    """

    allowed: int
    denied: int


def _read(*, read: Group, write: Group) -> Need:
    """Permission to read: a write group includes it, and denying the write group does not deny
    it."""
    return Need(int(read | write), int(read))


def _write(write: Group) -> Need:
    return Need(int(write), int(write))


_ANY_READ = Group.ZONE_READ | Group.ZONE_SETTINGS_READ
_ANY_WRITE = Group.ZONE_WRITE | Group.ZONE_SETTINGS_WRITE
READ_MAPPINGS = _read(read=_ANY_READ, write=_ANY_WRITE)
WRITE_MAPPINGS = _write(_ANY_WRITE)
# Feed, exports and resolve, which nodes read too. A node token meets no other need.
NODE_GROUP = Group.EDGE | Group.REPLICATE
READ_STATE = Need(int(READ_MAPPINGS.allowed | NODE_GROUP), int(READ_MAPPINGS.denied | NODE_GROUP))
READ_ZONE = _read(read=Group.ZONE_READ, write=Group.ZONE_WRITE)
WRITE_ZONE = _write(Group.ZONE_WRITE)
READ_ACCOUNT = _read(read=Group.ACCOUNT_SETTINGS_READ, write=Group.ACCOUNT_SETTINGS_WRITE)
WRITE_ACCOUNT = _write(Group.ACCOUNT_SETTINGS_WRITE)
READ_ACCOUNT_TOKENS = _read(read=Group.ACCOUNT_TOKENS_READ, write=Group.ACCOUNT_TOKENS_WRITE)
WRITE_ACCOUNT_TOKENS = _write(Group.ACCOUNT_TOKENS_WRITE)
READ_USER = _read(read=Group.USER_DETAILS_READ, write=Group.USER_DETAILS_WRITE)
READ_USER_TOKENS = _read(read=Group.USER_TOKENS_READ, write=Group.USER_TOKENS_WRITE)
WRITE_USER_TOKENS = _write(Group.USER_TOKENS_WRITE)

_ON_ZONES = (READ_MAPPINGS, WRITE_MAPPINGS, READ_ZONE, WRITE_ZONE)
_ON_ACCOUNTS = (READ_ACCOUNT, READ_ACCOUNT_TOKENS, WRITE_ACCOUNT_TOKENS)

Resources = Mapping[str, "str | dict[str, str]"]
"""Resources as the API has them: a name with "*", or an account with zones of it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Allows or denies `groups` (published ids) on `resources`.

    An account with "*" means the account and all its zones; an account with a dictionary means
    the zones named in it. ALL_ZONES and ALL_ACCOUNTS are the wildcard names.
    """

    id: str
    allow: bool
    resources: Resources
    groups: tuple[str, ...]


@dataclass(slots=True)
class _Scopes:
    """The groups that are allowed, or denied, for each resource."""

    all_zones: int = 0
    all_accounts: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    zones_of: dict[str, int] = field(default_factory=dict)  # all zones of an account
    zones: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, groups: int) -> None:
        if name == ALL_ZONES:
            self.all_zones |= groups
        elif name == ALL_ACCOUNTS:
            self.all_accounts |= groups
            self.all_zones |= groups
        elif name.startswith(ZONE_PREFIX):
            _add(self.zones, name.removeprefix(ZONE_PREFIX), groups)
        elif name.startswith(ACCOUNT_PREFIX):
            _add(self.accounts, name.removeprefix(ACCOUNT_PREFIX), groups)
            _add(self.zones_of, name.removeprefix(ACCOUNT_PREFIX), groups)
        elif name.startswith(USER_PREFIX):
            _add(self.users, name.removeprefix(USER_PREFIX), groups)

    def add_inside(self, account: str, name: str, groups: int) -> None:
        if name == ALL_ZONES and account == ALL_ACCOUNTS:
            self.all_zones |= groups
        elif name == ALL_ZONES:
            _add(self.zones_of, account.removeprefix(ACCOUNT_PREFIX), groups)
        else:
            self.add(name, groups)

    def on_zone(self, zone_id: str, account_id: str) -> int:
        return self.all_zones | self.zones.get(zone_id, 0) | self.zones_of.get(account_id, 0)

    def on_zones_of(self, account_id: str) -> int:
        return self.all_zones | self.zones_of.get(account_id, 0)

    def on_account(self, account_id: str) -> int:
        return self.all_accounts | self.accounts.get(account_id, 0)

    def on_user(self, user_id: str) -> int:
        return self.users.get(user_id, 0)

    def text(self) -> str:
        """A text that is equal for equal scopes."""
        named = (self.accounts, self.zones_of, self.zones, self.users)
        return repr((self.all_zones, self.all_accounts, *map(sorted, map(dict.items, named))))

    @property
    def anything(self) -> bool:
        """Whether there is any group on any resource."""
        named = (self.accounts, self.zones_of, self.zones, self.users)
        return bool(self.all_zones or self.all_accounts or any(any(s.values()) for s in named))


class Grants:
    """The permissions that a set of policies grants. `node` is the node group of a node token,
    else None, and `colos` are those that the node can report as; empty means any colo."""

    __slots__ = ("_allow", "_deny", "colos", "node")

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._allow, self._deny = _Scopes(), _Scopes()
        self.node: Group | None = None
        self.colos: frozenset[str] = frozenset()
        for policy in policies:
            groups = 0
            for group in policy.groups:
                groups |= int(_GROUPS.get(group, 0))
            scopes = self._allow if policy.allow else self._deny
            if groups & NODE_GROUP:
                self._add_node(policy, groups)
            for name, inside in policy.resources.items():
                if isinstance(inside, str):
                    scopes.add(name, groups)
                    continue
                for inner in inside:
                    scopes.add_inside(name, inner, groups)

    def _add_node(self, policy: Policy, groups: int) -> None:
        # If a token has both groups, the weaker one counts.
        self.node = (
            Group.EDGE if groups & Group.EDGE or self.node is Group.EDGE else Group.REPLICATE
        )
        colos = (name for name in policy.resources if name.startswith(COLO_PREFIX))
        self.colos |= {name.removeprefix(COLO_PREFIX) for name in colos}

    @property
    def scope(self) -> str:
        """A text of all that is allowed and denied, equal for equal grants."""
        return f"{self._allow.text()} {self._deny.text()}"

    def cover_zone(self, need: Need, zone_id: str, account_id: str) -> bool:
        """Whether the grants meet `need` on this zone of this account."""
        return bool(
            self._allow.on_zone(zone_id, account_id) & need.allowed
            and not self._deny.on_zone(zone_id, account_id) & need.denied
        )

    def cover_zones_of(self, need: Need, account_id: str) -> bool:
        """Whether the grants meet `need` on all zones of this account, future ones included,
        except those in `zones_denied`."""
        return bool(
            self._allow.on_zones_of(account_id) & need.allowed
            and not self._deny.on_zones_of(account_id) & need.denied
        )

    def zones_denied(self, need: Need) -> list[str]:
        """The ids of the zones for which a policy names the zone and denies `need`."""
        return [zone for zone, groups in self._deny.zones.items() if groups & need.denied]

    def deny_zone(self, need: Need, zone_id: str, account_id: str) -> bool:
        """Whether the grants deny `need` on this zone, even if another policy allows it."""
        return bool(self._deny.on_zone(zone_id, account_id) & need.denied)

    @property
    def deny_anything(self) -> bool:
        """Whether the grants deny any group on any resource."""
        return self._deny.anything

    def cover_account(self, need: Need, account_id: str) -> bool:
        """Whether the grants meet `need` on the account itself."""
        return bool(
            self._allow.on_account(account_id) & need.allowed
            and not self._deny.on_account(account_id) & need.denied
        )

    def cover_user(self, need: Need, user_id: str) -> bool:
        """Whether the grants meet `need` on this user's own resources."""
        return bool(
            self._allow.on_user(user_id) & need.allowed
            and not self._deny.on_user(user_id) & need.denied
        )

    def touch_account(self, account_id: str, zone_ids: Iterable[str]) -> bool:
        """Whether the grants allow anything on the account, or on one of its zones."""
        if any(self.cover_account(need, account_id) for need in _ON_ACCOUNTS):
            return True
        if any(self.cover_zones_of(need, account_id) for need in _ON_ZONES):
            return True
        return any(
            self.cover_zone(need, zone_id, account_id) for zone_id in zone_ids for need in _ON_ZONES
        )


def everything_of(user_id: str) -> Policy:
    """The policy of a user's own key: all groups on all accounts, all zones and the user."""
    resources: dict[str, str | dict[str, str]] = {ALL_ACCOUNTS: "*", USER_PREFIX + user_id: "*"}
    return Policy("everything", True, resources, tuple(GROUP_IDS))


def names_in(resources: Resources) -> Iterator[str]:
    """The names of all resources, zones inside of accounts included."""
    for name, inside in resources.items():
        yield name
        if not isinstance(inside, str):
            yield from inside


def _add(scopes: dict[str, int], name: str, groups: int) -> None:
    scopes[name] = scopes.get(name, 0) | groups
