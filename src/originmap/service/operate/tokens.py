"""The operator's tokens: those of the first user."""

from dataclasses import replace
from typing import Literal

import msgspec

from originmap.domain.access import (
    ALL_ACCOUNTS,
    ALL_ZONES,
    COLO_PREFIX,
    GROUP_IDS,
    ZONE_PREFIX,
    Group,
    Policy,
    everything_of,
    group_id,
    names_in,
)
from originmap.domain.errors import InvalidToken, StoreEmpty
from originmap.domain.node_rights import node_right
from originmap.domain.token import Owner, Token, hash_secret
from originmap.domain.token_rules import check_token, create_token, revoke_token
from originmap.service.directory import Directory
from originmap.service.operate.parts import OPERATOR, Handlers, zone_called
from originmap.service.secret import new_id, new_secret
from originmap.store.clock import Now
from originmap.store.port import Store

Access = Literal["read", "write", "everything", "replicate", "edge"]
"""Of the mappings and settings of zones; all that a user may do; what a server that follows
another needs; what a node of a cache needs."""


class CreateToken(msgspec.Struct, frozen=True, tag=True):
    """Make a token for some zones, each by id or name; none stands for all. With `colo` an edge
    node can report as that one only."""

    name: str
    zones: tuple[str, ...]
    access: Access
    colo: str = ""


class ListTokens(msgspec.Struct, frozen=True, tag=True):
    """Every token, without secrets."""


class RevokeToken(msgspec.Struct, frozen=True, tag=True):
    """Remove a token; it stops working at once."""

    id: str


class TokenView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token as an operator sees it; `secret` only when it was just made."""

    id: str
    name: str
    zones: list[str]
    access: str
    issued_on: int
    colos: list[str] = []
    secret: str = ""


class OperateTokens:
    """As `parts.Subject`."""

    def __init__(self, store: Store, directory: Directory, now: Now) -> None:
        self._store = store
        self._directory = directory
        self._now = now

    @property
    def handlers(self) -> Handlers:
        """As `Subject.handlers`."""
        return {CreateToken: self._create, ListTokens: self._list, RevokeToken: self._revoke}

    async def _create(self, command: CreateToken) -> list[TokenView]:
        if not self._directory.loaded:
            raise StoreEmpty
        owner = Owner("user", self._directory.users()[0].id)
        secret, now = new_secret(), self._now()
        policy = self._policy(command, owner)
        token = Token(new_id(), command.name, hash_secret(secret), (policy,), owner, now, now)
        check_token(token, GROUP_IDS)
        await self._store.write_records(create_token(token), OPERATOR)
        return [msgspec.structs.replace(_view(token), secret=secret)]

    def _policy(self, command: CreateToken, owner: Owner) -> Policy:
        if command.colo and command.access != "edge":
            raise InvalidToken("a colo is for access of an edge node")
        if command.access in ("everything", "replicate"):
            if command.zones:
                raise InvalidToken(f"access to {command.access} is for all zones")
            if command.access == "everything":
                return replace(everything_of(owner.id), id=new_id())
            return _policy({ALL_ACCOUNTS: "*"}, [Group.REPLICATE])
        found = [zone_called(self._directory, zone).id for zone in command.zones]
        resources = {ZONE_PREFIX + id_: "*" for id_ in found} or {ALL_ZONES: "*"}
        if command.access == "edge":
            colos = {COLO_PREFIX + command.colo: "*"} if command.colo else {}
            return _policy(resources | colos, [Group.EDGE])
        groups = [Group.ZONE_READ, Group.ZONE_SETTINGS_READ]
        if command.access == "write":
            groups.append(Group.ZONE_SETTINGS_WRITE)
        return _policy(resources, groups)

    async def _list(self, command: ListTokens) -> list[TokenView]:
        return [_view(token) for token in self._directory.tokens()]

    async def _revoke(self, command: RevokeToken) -> list[TokenView]:
        await self._store.write_records(revoke_token(command.id), OPERATOR)
        return []


def _policy(resources: dict[str, str], groups: list[Group]) -> Policy:
    return Policy(new_id(), True, resources, tuple(map(group_id, groups)))


def _view(token: Token) -> TokenView:
    zones: list[str] = []
    colos: list[str] = []
    writes = False
    for policy in token.policies:
        if not policy.allow:
            continue
        names = list(names_in(policy.resources))
        colos += [n.removeprefix(COLO_PREFIX) for n in names if n.startswith(COLO_PREFIX)]
        zones += [
            "all" if resource == ALL_ZONES else resource.removeprefix(ZONE_PREFIX)
            for resource in names
            if not resource.startswith(COLO_PREFIX)
        ]
        groups = {GROUP_IDS.get(group) for group in policy.groups}
        writes |= bool(groups & {Group.ZONE_SETTINGS_WRITE, Group.ZONE_WRITE})
    right = node_right(token.policies)
    access = (right.name or "").lower() if right else "write" if writes else "read"
    if right is Group.REPLICATE:
        zones = ["all"]
    return TokenView(token.id, token.name, zones, access, token.issued_on, colos)
