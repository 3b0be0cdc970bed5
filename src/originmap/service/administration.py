"""What an operator does from the command line: zones and tokens.

Commands are values, so that one list serves both ways of giving them: to the services in this
process, or through the admin socket to a running server.
"""

from typing import Literal

import msgspec

from originmap.domain.access import (
    ALL_ZONES,
    GROUP_IDS,
    ZONE_PREFIX,
    Group,
    Policy,
    group_id,
    names_in,
)
from originmap.domain.change import Cause
from originmap.domain.errors import ZoneNotFound
from originmap.domain.token import Owner, Token, hash_secret
from originmap.domain.token_rules import check_token, create_token, revoke_token
from originmap.domain.zone import Zone, checked_name
from originmap.domain.zone_rules import create_zone
from originmap.service.audit import Audit, AuditEntry, AuditQuery
from originmap.service.directory import Directory
from originmap.service.secret import new_id, new_secret
from originmap.store.clock import Now
from originmap.store.port import Store

OPERATOR = Cause("cli", "", "")
"""Whoever can open the database or its admin socket."""


class CreateZone(msgspec.Struct, frozen=True, tag=True):
    """Add a zone to the first account."""

    name: str


class ListZones(msgspec.Struct, frozen=True, tag=True):
    """Every zone."""


class CreateToken(msgspec.Struct, frozen=True, tag=True):
    """Make a token for one zone, by id or name, or for "all"."""

    name: str
    zone: str
    access: Literal["read", "write"]


class ListTokens(msgspec.Struct, frozen=True, tag=True):
    """Every token, without secrets."""


class RevokeToken(msgspec.Struct, frozen=True, tag=True):
    """Remove a token; it stops working at once."""

    id: str


class ListChanges(msgspec.Struct, frozen=True, tag=True):
    """The last `limit` changes, newest first; of one zone, by name, where it is given."""

    limit: int
    zone: str | None = None


Command = CreateZone | ListZones | CreateToken | ListTokens | RevokeToken | ListChanges


class ZoneView(msgspec.Struct, frozen=True):
    """A zone as an operator sees it; times are microseconds since 1970 UTC."""

    id: str
    name: str
    created_on: int


class TokenView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token as an operator sees it; `secret` only when it was just made."""

    id: str
    name: str
    zones: list[str]
    access: str
    issued_on: int
    secret: str = ""


Answer = list[ZoneView] | list[TokenView] | list[AuditEntry]


class Administration:
    """Carries commands out."""

    def __init__(self, store: Store, directory: Directory, audit: Audit, now: Now) -> None:
        self._store = store
        self._directory = directory
        self._audit = audit
        self._now = now

    async def run(self, command: Command) -> Answer:
        """Do what `command` says. Raises OriginmapError.

        Answers with what was made, found or revoked, a list in each case.
        """
        match command:
            case CreateZone(name):
                return [await self._create_zone(name)]
            case ListZones():
                return [_zone_view(zone) for zone in self._directory.zones()]
            case CreateToken(name, zone, access):
                return [await self._create_token(name, zone, access)]
            case ListTokens():
                return [_token_view(token) for token in self._directory.tokens()]
            case RevokeToken(id_):
                await self._store.write_records(revoke_token(id_), OPERATOR)
                return []
            case ListChanges(limit, zone):
                return await self._audit.entries(AuditQuery(zone_name=zone), 0, limit)

    async def _create_zone(self, name: str) -> ZoneView:
        account = self._directory.accounts()[0]
        now = self._now()
        zone = Zone(new_id(), checked_name(name), account.id, now, now)
        await self._store.write_records(create_zone(zone), OPERATOR)
        return _zone_view(zone)

    async def _create_token(self, name: str, zone: str, access: str) -> TokenView:
        resource = ALL_ZONES if zone == "all" else ZONE_PREFIX + self._zone_id(zone)
        groups = [Group.ZONE_READ, Group.ZONE_SETTINGS_READ]
        if access == "write":
            groups.append(Group.ZONE_SETTINGS_WRITE)
        secret, now = new_secret(), self._now()
        policy = Policy(new_id(), True, {resource: "*"}, tuple(map(group_id, groups)))
        owner = Owner("user", self._directory.users()[0].id)
        token = Token(new_id(), name, hash_secret(secret), (policy,), owner, now, now)
        check_token(token, GROUP_IDS)
        await self._store.write_records(create_token(token), OPERATOR)
        return msgspec.structs.replace(_token_view(token), secret=secret)

    def _zone_id(self, id_or_name: str) -> str:
        for zone in self._directory.zones():
            if id_or_name in (zone.id, zone.name):
                return zone.id
        raise ZoneNotFound(id_or_name)


def _zone_view(zone: Zone) -> ZoneView:
    return ZoneView(zone.id, zone.name, zone.created_on)


def _token_view(token: Token) -> TokenView:
    zones: list[str] = []
    writes = False
    for policy in token.policies:
        zones += [
            "all" if resource == ALL_ZONES else resource.removeprefix(ZONE_PREFIX)
            for resource in names_in(policy.resources)
        ]
        groups = {GROUP_IDS.get(group) for group in policy.groups}
        writes |= bool(groups & {Group.ZONE_SETTINGS_WRITE, Group.ZONE_WRITE})
    return TokenView(token.id, token.name, zones, "write" if writes else "read", token.issued_on)
