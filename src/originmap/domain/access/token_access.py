"""Access levels of tokens, and the policies for each.

read         read mappings and settings of zones
write        read and change mappings and settings of zones
everything   all permissions of the token's user
edge         the edge agent of a node: some zones or all, one colo or any
replicate    a replica
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

from originmap.domain.access.node_rights import node_right
from originmap.domain.access.permissions import (
    ALL_ACCOUNTS,
    ALL_ZONES,
    COLO_PREFIX,
    GROUP_IDS,
    ZONE_PREFIX,
    Group,
    Policy,
    Resources,
    everything_of,
    group_id,
    names_in,
)
from originmap.domain.errors import InvalidToken

Access = Literal["read", "write", "everything", "edge", "replicate"]
ACCESS: tuple[str, ...] = get_args(Access)

_WRITING = {Group.ZONE_SETTINGS_WRITE, Group.ZONE_WRITE}


class TokenAccess(NamedTuple):
    """`zones` are ids, or just "all"; `colos` are those that a node can report as, empty for
    any."""

    access: str
    zones: list[str]
    colos: list[str]


def policy_of(access: Access, zone_ids: Collection[str], colo: str, user_id: str) -> Policy:
    """The policy, without an id, of a user's token for the given zones, or for all zones if there
    are none. Raises InvalidToken for a combination that is not allowed."""
    if colo and access != "edge":
        raise InvalidToken(f"access {access} cannot be limited to a colo: only edge can")
    if access in ("everything", "replicate") and zone_ids:
        raise InvalidToken(f"access {access} cannot be limited to zones")
    if access == "everything":
        return replace(everything_of(user_id), id="")
    if access == "replicate":
        return _policy({ALL_ACCOUNTS: "*"}, [Group.REPLICATE])
    resources: dict[str, str | dict[str, str]] = {ZONE_PREFIX + id_: "*" for id_ in zone_ids}
    resources = resources or {ALL_ZONES: "*"}
    if access == "edge":
        return _policy(resources | ({COLO_PREFIX + colo: "*"} if colo else {}), [Group.EDGE])
    groups = [Group.ZONE_READ, Group.ZONE_SETTINGS_READ]
    if access == "write":
        groups.append(Group.ZONE_SETTINGS_WRITE)
    return _policy(resources, groups)


def access_of(policies: Collection[Policy]) -> TokenAccess:
    """The access level closest to what the policies allow."""
    if all(policy.allow for policy in policies) and any(map(_is_everything, policies)):
        return TokenAccess("everything", ["all"], [])
    zones: list[str] = []
    colos: list[str] = []
    writes = False
    for policy in policies:
        if not policy.allow:
            continue
        names = list(names_in(policy.resources))
        colos += [n.removeprefix(COLO_PREFIX) for n in names if n.startswith(COLO_PREFIX)]
        zones += [
            "all" if resource == ALL_ZONES else resource.removeprefix(ZONE_PREFIX)
            for resource in names
            if not resource.startswith(COLO_PREFIX)
        ]
        writes |= bool({GROUP_IDS.get(group) for group in policy.groups} & _WRITING)
    right = node_right(policies)
    if right is Group.REPLICATE:
        zones = ["all"]
    access = (right.name or "").lower() if right else "write" if writes else "read"
    return TokenAccess(access, zones, colos)


def _is_everything(policy: Policy) -> bool:
    return ALL_ACCOUNTS in policy.resources and set(policy.groups) >= set(GROUP_IDS)


def _policy(resources: Resources, groups: Sequence[Group]) -> Policy:
    return Policy("", True, resources, tuple(map(group_id, groups)))
