"""The JSON of tokens: decoding of requests and encoding of tokens, without the secret."""

from originmap.api.timestamps import parse_timestamp, timestamp
from originmap.domain.access.permissions import PermissionGroup, Policy
from originmap.domain.access.token import Owner, RequestIP, Token, TokenStatus
from originmap.domain.errors import InvalidToken
from originmap.service.access.secret import new_id

Groups = dict[str, PermissionGroup]
"""Permission groups by id."""


def token_json(token: Token, status: TokenStatus, groups: Groups) -> dict[str, object]:
    """Encode a token."""
    answer: dict[str, object] = {
        "id": token.id,
        "issued_on": timestamp(token.issued_on),
        "last_used_on": None,
        "modified_on": timestamp(token.modified_on),
        "name": token.name,
        "policies": [_policy_json(policy, groups) for policy in token.policies],
        "status": str(status),
    }
    if token.request_ip is not None:
        answer["condition"] = {"request_ip": _request_ip_json(token.request_ip)}
    return answer | times_json(token)


def times_json(token: Token) -> dict[str, object]:
    """The members for the validity period of a token, if it has one."""
    times = {"expires_on": token.expires_on, "not_before": token.not_before}
    return {name: timestamp(time) for name, time in times.items() if time is not None}


def read_token(body: dict[str, object], owner: Owner) -> Token:
    """Decode the token in a body; the service sets its ID, secret and times.

    Raises InvalidToken for a wrong type or form; `domain.access.token_rules` checks the rest.
    """
    name = body.get("name")
    status = body.get("status", "active")
    if not isinstance(name, str):
        raise InvalidToken("name must be a string")
    if status not in ("active", "disabled"):
        raise InvalidToken('status must be "active" or "disabled"')
    return Token(
        id="",
        name=name,
        secret_hash="",  # set by the service
        policies=tuple(_read_policy(policy) for policy in _list(body.get("policies"), "policies")),
        owner=owner,
        issued_on=0,
        modified_on=0,
        disabled=status == "disabled",
        not_before=_read_time(body, "not_before"),
        expires_on=_read_time(body, "expires_on"),
        request_ip=_read_request_ip(body.get("condition")),
    )


def _policy_json(policy: Policy, groups: Groups) -> dict[str, object]:
    granted = (groups.get(id_, PermissionGroup(id_, "", "")) for id_ in policy.groups)
    return {
        "effect": "allow" if policy.allow else "deny",
        "id": policy.id,
        "permission_groups": [{"id": group.id, "name": group.name} for group in granted],
        "resources": policy.resources,
    }


def _request_ip_json(request_ip: RequestIP) -> dict[str, object]:
    lists = {"in": request_ip.in_, "not_in": request_ip.not_in}
    return {name: prefixes for name, prefixes in lists.items() if prefixes is not None}


def _read_policy(value: object) -> Policy:
    policy = _object(value, "policies")
    effect = policy.get("effect")
    if effect not in ("allow", "deny"):
        raise InvalidToken('effect must be "allow" or "deny"')
    groups = []
    for group in _list(policy.get("permission_groups"), "permission_groups"):
        groups.append(_string(_object(group, "permission_groups").get("id"), "permission_groups"))
    resources: dict[str, str | dict[str, str]] = {}
    for name, inside in _object(policy.get("resources"), "resources").items():
        if isinstance(inside, dict):
            resources[name] = {key: _string(value, name) for key, value in inside.items()}
        else:
            resources[name] = _string(inside, name)
    return Policy(new_id(), effect == "allow", resources, tuple(groups))


def _read_request_ip(condition: object) -> RequestIP | None:
    if condition is None:
        return None
    value = _object(condition, "condition").get("request_ip")
    if value is None:
        return None
    lists = _object(value, "request_ip")
    return RequestIP(_prefixes(lists.get("in")), _prefixes(lists.get("not_in")))


def _prefixes(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(_string(prefix, "request_ip") for prefix in _list(value, "request_ip"))


def _read_time(body: dict[str, object], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        return parse_timestamp(_string(value, name))
    except ValueError:
        raise InvalidToken(f"{name} must be a time like 2026-03-01T12:00:00Z") from None


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidToken(f"{what} must be an object")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidToken(f"{what} must be an array")
    return value


def _string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidToken(f"{what} must be a string")
    return value
