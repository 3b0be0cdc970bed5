"""Rules that make and revoke tokens."""

from originmap.domain.access import ZONE_PREFIX
from originmap.domain.errors import InvalidToken, TokenNotFound, ZoneNotFound
from originmap.domain.record import (
    Key,
    Kind,
    RecordChange,
    RecordDecide,
    RecordDecision,
    RecordsView,
)
from originmap.domain.token import LONGEST_NAME, Token


def create_token(token: Token) -> RecordDecide[Token]:
    """Add `token`. Raises InvalidToken without a name, ZoneNotFound when a policy names a zone
    that is not there."""

    def decide(records: RecordsView) -> RecordDecision[Token]:
        if not 0 < len(token.name) <= LONGEST_NAME:
            raise InvalidToken(f"a token's name has 1 to {LONGEST_NAME} characters")
        for policy in token.policies:
            for resource in policy.resources:
                _check_resource(resource, records)
        return RecordDecision((RecordChange(Key(Kind.TOKEN, token.id), None, token),), token)

    return decide


def revoke_token(token_id: str) -> RecordDecide[None]:
    """Remove a token: it stops working with the commit. Raises TokenNotFound."""

    def decide(records: RecordsView) -> RecordDecision[None]:
        key = Key(Kind.TOKEN, token_id)
        token = records.get(key)
        if token is None:
            raise TokenNotFound(token_id)
        return RecordDecision((RecordChange(key, token, None),), None)

    return decide


def _check_resource(resource: str, records: RecordsView) -> None:
    zone_id = resource.removeprefix(ZONE_PREFIX)
    if zone_id not in (resource, "*") and Key(Kind.ZONE, zone_id) not in records:
        raise ZoneNotFound(zone_id)
