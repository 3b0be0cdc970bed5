"""Rules for node tokens: tokens with the permission group "edge" or "replicate", both our own.

Such a token has no other permission group, and belongs to a user, because it reads and reports
data of all accounts.
"""

import re
from collections.abc import Collection

from originmap.domain.access.permissions import (
    ACCOUNT_PREFIX,
    ALL_ACCOUNTS,
    COLO_PREFIX,
    NODE_GROUP_IDS,
    Group,
    Policy,
)
from originmap.domain.access.token import Owner
from originmap.domain.errors import InvalidToken

_COLO = re.compile(r"[A-Z0-9]{2,10}")


def node_right(policies: Collection[Policy]) -> Group | None:
    """The node group that the policies grant; None if they grant none."""
    granted = {NODE_GROUP_IDS.get(group) for policy in policies for group in policy.groups}
    return next((group for group in (Group.EDGE, Group.REPLICATE) if group in granted), None)


def check_node_rights(policies: Collection[Policy], owner: Owner) -> None:
    """Raise InvalidToken if the policies break a rule for node tokens, or if those of another
    token name a colo."""
    right = node_right(policies)
    if right is None:
        _check_no_colos(policies)
        return
    name = (right.name or "").lower()
    if owner.kind != "user":
        raise InvalidToken(f"a token for {name} must belong to a user, not to an account")
    if any(NODE_GROUP_IDS.get(group) is not right for p in policies for group in p.groups):
        raise InvalidToken(f"a token for {name} must not have another permission group")
    if right is Group.REPLICATE:
        _check_replicate(policies)
    else:
        _check_edge(policies)


def _check_no_colos(policies: Collection[Policy]) -> None:
    for name in (name for policy in policies for name in policy.resources):
        if name.startswith(COLO_PREFIX):
            raise InvalidToken(f"resource {name} is allowed in tokens for edge only")


def _check_replicate(policies: Collection[Policy]) -> None:
    """A replica of some accounts would answer as if the rest did not exist."""
    if any(not policy.allow or set(policy.resources) != {ALL_ACCOUNTS} for policy in policies):
        raise InvalidToken(f"a token for replicate must allow exactly {ALL_ACCOUNTS}")


def _check_edge(policies: Collection[Policy]) -> None:
    for policy in policies:
        colos = [name for name in policy.resources if name.startswith(COLO_PREFIX)]
        if colos and not policy.allow:
            raise InvalidToken("a policy that denies must not name a colo")
        for name in colos:
            code = name.removeprefix(COLO_PREFIX)
            if not _COLO.fullmatch(code):
                raise InvalidToken(f"colo {code!r}: a code is 2 to 10 characters of A-Z and 0-9")
        if not any(name.startswith(ACCOUNT_PREFIX) for name in policy.resources):
            raise InvalidToken("a token for edge must name the zones that the node can read")
