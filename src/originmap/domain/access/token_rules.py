"""Rules that create, change and revoke tokens."""

import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import replace

from originmap.domain.access.node_rights import check_node_rights, node_right
from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ZONES,
    COLO_PREFIX,
    NODE_GROUP_IDS,
    USER_PREFIX,
    ZONE_PREFIX,
    Policy,
    names_in,
)
from originmap.domain.access.token import (
    LONGEST_NAME,
    MAX_NODE_TOKENS,
    MAX_PREFIXES,
    MAX_TOKENS,
    Owner,
    RequestIP,
    Token,
)
from originmap.domain.errors import (
    InvalidToken,
    TokenNotFound,
    UnknownPermissionGroup,
    ZoneNotFound,
)
from originmap.domain.history.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.zone.zone import Zone

_ID = re.compile("[0-9a-f]{32}")


def create_token(token: Token) -> RecordDecide[Token]:
    """Add `token`. Raises ZoneNotFound if a policy names a zone that does not exist, and
    InvalidToken if its owner has reached the limit of tokens."""

    def decide(records: RecordsView) -> RecordDecision[Token]:
        _check_number(token, records)
        check_resources(token.policies, token.owner, records)
        return RecordDecision((RecordChange(Key(Kind.TOKEN, token.id), None, token),), token)

    return decide


def change_token(
    token_id: str, owner: Owner | None, new: Token, *, keep_status: bool = False
) -> RecordDecide[Token]:
    """Replace a token's name, policies and limits by those of `new`, and its status too unless
    `keep_status` is set.

    Raises TokenNotFound if `owner` has no such token (None: any owner), ZoneNotFound.
    """

    def change(token: Token, records: RecordsView) -> Token:
        check_resources(new.policies, token.owner, records)
        changed = replace(
            new, id=token.id, secret_hash=token.secret_hash, owner=token.owner,
            issued_on=token.issued_on, modified_on=token.modified_on,
            disabled=token.disabled if keep_status else new.disabled,
        )  # fmt: skip
        return token if changed == token else replace(changed, modified_on=new.modified_on)

    return _change(token_id, owner, change)


def roll_token(
    token_id: str, owner: Owner | None, secret_hash: str, now: int
) -> RecordDecide[Token]:
    """Replace a token's secret; the old one is invalid after the commit. Raises TokenNotFound."""
    return _change(
        token_id,
        owner,
        lambda token, records: replace(token, secret_hash=secret_hash, modified_on=now),
    )


def revoke_token(token_id: str, owner: Owner | None = None) -> RecordDecide[None]:
    """Remove a token; it is invalid after the commit. Raises TokenNotFound."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        key = Key(Kind.TOKEN, token_id)
        return RecordDecision((RecordChange(key, _find(records, key, owner), None),), None)

    return decide


def check_token(token: Token, known_groups: Collection[str]) -> None:
    """Raise InvalidToken or UnknownPermissionGroup for an invalid token.

    `known_groups` are the ids of all published permission groups, including those that grant
    nothing here. Node groups are always accepted.
    """
    if not 0 < len(token.name) <= LONGEST_NAME:
        raise InvalidToken(f"name must have a length between 1 and {LONGEST_NAME}")
    if not token.policies:
        raise InvalidToken("at least one policy is required")
    for policy in token.policies:
        _check_policy(policy, known_groups)
    check_node_rights(token.policies, token.owner)
    if token.request_ip is not None:
        check_prefixes(token.request_ip)
    if None not in (token.not_before, token.expires_on):
        assert token.not_before is not None
        assert token.expires_on is not None
        if token.expires_on <= token.not_before:
            raise InvalidToken("expires_on must be after not_before")


def check_resources(policies: Collection[Policy], owner: Owner, records: RecordsView) -> None:
    """Raise ZoneNotFound if a policy allows something on a zone that does not exist, and
    InvalidToken if an account's token has resources outside of the account.

    A policy that denies can name any zone: denying a zone that does not exist is harmless.
    """
    for policy in policies:
        if not policy.allow:
            continue
        if owner.kind == "account":
            _check_within(policy, owner.id, records)
        for name in names_in(policy.resources):
            zone_id = name.removeprefix(ZONE_PREFIX)
            if zone_id not in (name, "*") and Key(Kind.ZONE, zone_id) not in records:
                raise ZoneNotFound(zone_id)


def _check_number(new: Token, records: RecordsView) -> None:
    """Node tokens have their own limit, because a cache network has more nodes than a user has
    programs."""
    owner, of_node = new.owner, node_right(new.policies) is not None
    most = MAX_NODE_TOKENS if of_node else MAX_TOKENS[owner.kind]
    theirs = (v for v in records.values() if isinstance(v, Token) and v.owner == owner)
    if sum((node_right(token.policies) is not None) == of_node for token in theirs) >= most:
        kind = "node tokens" if of_node else "tokens"
        raise InvalidToken(f"the {owner.kind} has {most:,} {kind}, which is the limit: revoke one")


def _check_within(policy: Policy, account_id: str, records: RecordsView) -> None:
    whole = ACCOUNT_PREFIX + account_id
    for name, inside in policy.resources.items():
        if name == whole:
            zones = (
                [] if isinstance(inside, str) else [zone for zone in inside if zone != ALL_ZONES]
            )
        else:
            zones = list(names_in({name: inside}))
        for resource in zones:
            zone = records.get(Key(Kind.ZONE, resource.removeprefix(ZONE_PREFIX)))
            if not isinstance(zone, Zone) or zone.account_id != account_id:
                raise InvalidToken(f"resource {resource} is not in the account of the token")


def _check_policy(policy: Policy, known_groups: Collection[str]) -> None:
    if not policy.groups:
        raise InvalidToken("a policy needs at least one permission group")
    for group in policy.groups:
        if group not in known_groups and group not in NODE_GROUP_IDS:
            raise UnknownPermissionGroup(group)
    if not policy.resources:
        raise InvalidToken("a policy needs at least one resource")
    for name, inside in policy.resources.items():
        _check_resource(name, inside)
    if not policy.allow:
        for name in names_in(policy.resources):
            _check_id(name)


def _check_resource(name: str, inside: str | dict[str, str]) -> None:
    if not name.startswith((ACCOUNT_PREFIX, USER_PREFIX, COLO_PREFIX)):
        raise InvalidToken(f"unknown resource {name}")
    if isinstance(inside, str):
        if inside != "*":
            raise InvalidToken(f'resource {name} must be "*"')
    elif name.startswith((ZONE_PREFIX, USER_PREFIX, COLO_PREFIX)):
        raise InvalidToken(f'resource {name} must be "*": only an account holds zones')
    elif not inside or any(
        not inner.startswith(ZONE_PREFIX) or value != "*" for inner, value in inside.items()
    ):
        raise InvalidToken(f'resource {name} must hold zones with "*"')


def _check_id(name: str) -> None:
    """A policy that denies a malformed id would have no effect, and go unnoticed."""
    for prefix in (ZONE_PREFIX, USER_PREFIX, ACCOUNT_PREFIX):
        if name.startswith(prefix):
            id_ = name.removeprefix(prefix)
            if not _ID.fullmatch(id_) and (id_ != "*" or prefix == USER_PREFIX):
                raise InvalidToken(f"resource {name} has no valid id: 32 characters of 0-9 and a-f")
            return


def check_prefixes(request_ip: RequestIP) -> None:
    """Raises InvalidToken if a prefix is invalid, or if there are too many."""
    if any(len(some or ()) > MAX_PREFIXES for some in (request_ip.in_, request_ip.not_in)):
        raise InvalidToken(f"request_ip: in and not_in take at most {MAX_PREFIXES} prefixes each")
    for prefix in (*(request_ip.in_ or ()), *(request_ip.not_in or ())):
        try:
            ipaddress.ip_network(prefix)
        except ValueError as error:
            raise InvalidToken(f"request_ip: {error}") from None


def _change(
    token_id: str, owner: Owner | None, change: Callable[[Token, RecordsView], Token]
) -> RecordDecide[Token]:
    def decide(records: RecordsView) -> RecordDecision[Token]:
        key = Key(Kind.TOKEN, token_id)
        token = _find(records, key, owner)
        changed = change(token, records)
        changes = () if changed == token else (RecordChange(key, token, changed),)
        return RecordDecision(changes, changed)

    return decide


def _find(records: RecordsView, key: Key, owner: Owner | None) -> Token:
    token = records.get(key)
    if not isinstance(token, Token) or owner not in (None, token.owner):
        raise TokenNotFound(key.id)
    return token
