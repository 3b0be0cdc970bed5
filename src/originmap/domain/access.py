"""Who may do what where: permission groups, policies, and their evaluation.

A policy allows or denies permission groups on resources. `Grants` is a token's policies in the
form that one request needs: a few dictionary lookups and bit operations. Deny wins: a denied
group takes away what it stands for, whichever other group would have allowed it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple


class Group(IntFlag):
    """The permission groups that mean something here; ids as published are in `GROUP_IDS`."""

    ZONE_READ = 1
    ZONE_WRITE = 2
    ZONE_SETTINGS_READ = 4
    ZONE_SETTINGS_WRITE = 8


GROUP_IDS = {
    "c8fed203ed3043cba015a93ad1616f1f": Group.ZONE_READ,
    "e6d2666161e84845a636613608cee8d5": Group.ZONE_WRITE,
    "517b21aee92c4d89936c976ba6e4be55": Group.ZONE_SETTINGS_READ,
    "3030687196b94b638145a3953da2b699": Group.ZONE_SETTINGS_WRITE,
}

ALL_ZONES = "com.cloudflare.api.account.zone.*"
ZONE_PREFIX = "com.cloudflare.api.account.zone."
ACCOUNT_PREFIX = "com.cloudflare.api.account."


class Need(NamedTuple):
    """What a request needs: one of the groups in `allowed`, and none of `denied` denied.

    Plain integers: operations on an IntFlag take ten times as long, and every request does some.
    """

    allowed: int
    denied: int


# A write group includes reading; denying a write group does not take reading away.
_READ = int(Group.ZONE_READ | Group.ZONE_SETTINGS_READ)
_WRITE = int(Group.ZONE_WRITE | Group.ZONE_SETTINGS_WRITE)
READ_MAPPINGS = Need(allowed=_READ | _WRITE, denied=_READ)
WRITE_MAPPINGS = Need(allowed=_WRITE, denied=_WRITE)


@dataclass(frozen=True, slots=True)
class Policy:
    """Allows or denies `groups` (published ids) on `resources`.

    A resource is ALL_ZONES, ZONE_PREFIX + zone id, or ACCOUNT_PREFIX + account id, which stands
    for all zones of that account.
    """

    allow: bool
    resources: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(slots=True)
class _Scopes:
    """Which groups hold where: everywhere, by account, by zone."""

    everywhere: int = 0
    accounts: dict[str, int] = field(default_factory=dict)
    zones: dict[str, int] = field(default_factory=dict)

    def add(self, resource: str, groups: int) -> None:
        if resource == ALL_ZONES:
            self.everywhere |= groups
        elif resource.startswith(ZONE_PREFIX):
            _add(self.zones, resource.removeprefix(ZONE_PREFIX), groups)
        elif resource.startswith(ACCOUNT_PREFIX):
            _add(self.accounts, resource.removeprefix(ACCOUNT_PREFIX), groups)

    def on_zone(self, zone_id: str, account_id: str) -> int:
        return self.everywhere | self.zones.get(zone_id, 0) | self.accounts.get(account_id, 0)

    def on_account(self, account_id: str) -> int:
        return self.everywhere | self.accounts.get(account_id, 0)


class Grants:
    """What a set of policies allows."""

    __slots__ = ("_allow", "_deny")

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._allow, self._deny = _Scopes(), _Scopes()
        for policy in policies:
            groups = 0
            for group_id in policy.groups:
                groups |= int(GROUP_IDS.get(group_id, 0))
            scopes = self._allow if policy.allow else self._deny
            for resource in policy.resources:
                scopes.add(resource, groups)

    def cover_zone(self, need: Need, zone_id: str, account_id: str) -> bool:
        """Whether they meet `need` on this zone of this account."""
        return bool(
            self._allow.on_zone(zone_id, account_id) & need.allowed
            and not self._deny.on_zone(zone_id, account_id) & need.denied
        )

    def cover_account(self, need: Need, account_id: str) -> bool:
        """Whether they meet `need` on every zone of this account, those to come included."""
        return bool(
            self._allow.on_account(account_id) & need.allowed
            and not self._deny.on_account(account_id) & need.denied
        )


EVERYTHING = Grants([Policy(True, (ALL_ZONES,), tuple(GROUP_IDS))])
"""What a user's own key grants."""


def _add(scopes: dict[str, int], name: str, groups: int) -> None:
    scopes[name] = scopes.get(name, 0) | groups
