"""The table of error responses: HTTP status, code and text of each error.

If Cloudflare publishes a code and a text, they are used. Codes 10400 to 10599 without a
counterpart there are our own. docs/errors.md lists all of them; a test compares both.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from originmap.api.envelope import Message
from originmap.domain import errors
from originmap.domain.access import errors as access_errors
from originmap.domain.hook import errors as hook_errors
from originmap.domain.mapping import own_region_errors


class Refusal(NamedTuple):
    """An error response."""

    status: int
    errors: list[Message]
    headers: tuple[tuple[str, str], ...] = ()


Render = Callable[[errors.OriginmapError], Refusal]

INVALID_ADDRESS = "Invalid or missing origin IP address."
SETTING_MISSING = (
    "Unable to retrieve origin_public_cloud_region setting value. The zone setting does not exist."
)
SETTING_EXISTS = (
    "Unable to create new origin_public_cloud_region setting. The zone setting already exists."
)
THROTTLE = "Please wait and consider throttling your request speed"
UPDATE_FAILED = "Unable to update origin_public_cloud_region setting value. Internal error."
ZONE_CHANGING = "Others kept adding to the zone. Nothing was rolled back."
ZONE_CHANGE = "Exactly one of paused, type and vanity_name_servers can be changed."
NAME_SERVERS = "vanity_name_servers must be an array of at most 20 host names."
NO_NEW_ACCOUNTS = "Forbidden. Account creation is not allowed"
UNKNOWN_REGION = (
    "The vendor provided doesn't exist or the region provided does not exist "
    "for the specified cloud vendor"
)


def refusal(status: int, code: int, message: str) -> Refusal:
    """An error response with one code."""
    return Refusal(status, [Message(code, message)])


def _fixed(status: int, code: int, message: str) -> Render:
    return lambda error: refusal(status, code, message)


def _own_text(status: int, code: int) -> Render:
    return lambda error: refusal(status, code, str(error))


def _each_problem(code: int) -> Render:
    def render(error: errors.OriginmapError) -> Refusal:
        assert isinstance(error, errors.SeveralProblems | own_region_errors.InvalidCatalogue)
        return Refusal(400, [Message(code, problem) for problem in error.problems])

    return render


def _page(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, errors.InvalidPage)
    if error.parameter == "page":
        text = "invalid page parameter, must be 1 or more"
    else:
        text = f"invalid per_page parameter, must be between 1 and {error.at_most}"
    return refusal(400, 1146, text)


def _time(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, errors.InvalidTime)
    must = "must be a date or a time like 2026-03-01T12:00:00Z"
    return refusal(400, 1146, f"invalid {error.parameter} parameter, {must}")


def _missing_credentials(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, access_errors.MissingCredentials)
    code, names = {
        "any": (9106, "X-Auth-Key, X-Auth-Email or Authorization headers"),
        "key": (9106, "X-Auth-Key header"),
        "email": (9107, "X-Auth-Email header"),
    }[error.which]
    return refusal(400, code, f"Missing {names}")


def _malformed_credentials(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, access_errors.MalformedCredentials)
    code, name = {
        "bearer": (6111, "Authorization"),
        "key": (6103, "X-Auth-Key"),
        "email": (6102, "X-Auth-Email"),
    }[error.which]
    chain = [Message(code, f"Invalid format for {name} header")]
    return Refusal(400, [Message(6003, "Invalid request headers", chain)])


def _wrong_location(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, access_errors.WrongLocation)
    return refusal(403, 9109, f"Cannot use the access token from location: {error.client}")


_LATER = errors.StoreBusy | errors.StoreEmpty | errors.RateLimited | access_errors.TooManyFailures


def _retry_later(status: int, code: int, message: str) -> Render:
    """An error response with Retry-After; the error has `retry_after` in seconds."""

    def render(error: errors.OriginmapError) -> Refusal:
        assert isinstance(error, _LATER)
        header = ("Retry-After", str(error.retry_after))
        return Refusal(status, [Message(code, message)], (header,))

    return render


def _not_the_primary(error: errors.OriginmapError) -> Refusal:
    assert isinstance(error, errors.NotThePrimary)
    return refusal(421, 10421, str(error))


TABLE: dict[type[errors.OriginmapError], Render] = {
    errors.InvalidAddress: _fixed(400, 1146, INVALID_ADDRESS),
    errors.AddressMismatch: _fixed(400, 1146, "body origin_ip does not match URL"),
    errors.DuplicateAddress: _fixed(400, 1146, "duplicate origin IP address in this batch"),
    errors.UnknownRegion: _fixed(400, 1157, UNKNOWN_REGION),
    errors.InvalidBatch: _fixed(400, 1146, "batch must be an array of 1 to 100 items"),
    errors.InvalidPage: _page,
    errors.InvalidTime: _time,
    errors.MalformedJSON: _fixed(400, 6007, "Malformed JSON in request body"),
    errors.BodyTooLarge: _fixed(413, 1146, "request body is too large"),
    errors.InvalidZoneName: _fixed(400, 1002, "Invalid domain"),
    errors.InvalidZoneChange: _fixed(400, 1001, ZONE_CHANGE),
    errors.InvalidNameServers: _fixed(400, 1001, NAME_SERVERS),
    errors.InvalidZoneType: _fixed(400, 1001, "type must be full, partial, secondary or internal."),
    errors.InvalidSetting: _fixed(400, 1146, 'invalid value, must be "on" or "off"'),
    errors.InvalidToken: _own_text(400, 400),
    errors.InvalidTopology: _each_problem(10460),
    errors.InvalidLatencies: _each_problem(10461),
    own_region_errors.InvalidCatalogue: _each_problem(10464),
    errors.InvalidPools: _each_problem(10466),
    hook_errors.InvalidHook: _own_text(400, 10467),
    errors.InvalidQuery: _own_text(400, 10400),
    errors.InvalidExport: _own_text(400, 10462),
    errors.UnknownPermissionGroup: _own_text(400, 1001),
    errors.MappingNotFound: _fixed(404, 1142, SETTING_MISSING),
    errors.ZoneNotFound: _fixed(403, 9109, "Invalid zone identifier"),
    errors.AccountNotFound: _fixed(403, 9109, "Invalid account identifier"),
    errors.TokenNotFound: _fixed(404, 1003, "Token not found"),
    hook_errors.HookNotFound: _own_text(404, 10404),
    errors.MappingExists: _fixed(400, 1145, SETTING_EXISTS),
    errors.ZoneExists: _fixed(400, 1061, "The zone already exists."),
    hook_errors.HookExists: _own_text(409, 10468),
    errors.TooManyMappings: _fixed(403, 1164, "Maximum number of IP mappings configured for zone."),
    own_region_errors.RegionStillMapped: _own_text(409, 10465),
    errors.RolloutConflict: _own_text(409, 10463),
    errors.TieredCacheOff: _fixed(403, 1135, "Tiered Cache must be enabled for this zone."),
    access_errors.MissingCredentials: _missing_credentials,
    access_errors.MalformedCredentials: _malformed_credentials,
    access_errors.UnknownToken: _fixed(401, 10000, "Authentication error"),
    access_errors.UnusableToken: _fixed(401, 10000, "Authentication error"),
    access_errors.UnknownKey: _fixed(403, 9103, "Unknown X-Auth-Key or X-Auth-Email"),
    access_errors.WrongLocation: _wrong_location,
    access_errors.WrongColo: _own_text(403, 10403),
    access_errors.TooManyFailures: _retry_later(429, 10502, "Too many authentication failures"),
    errors.RateLimited: _retry_later(429, 971, THROTTLE),
    access_errors.AccountsNotCreatable: _fixed(403, 1002, NO_NEW_ACCOUNTS),
    access_errors.Forbidden: _fixed(403, 10000, "Authentication error"),
    errors.NotThePrimary: _not_the_primary,
    errors.StillFollowing: _own_text(409, 10409),
    errors.HistoryGone: _own_text(410, 10410),
    errors.Stale: _fixed(412, 10412, "The entry has another revision than If-Match names."),
    errors.ZoneChanging: _fixed(409, 10409, ZONE_CHANGING),
    errors.PrimaryGone: _fixed(502, 10500, "Internal error"),
    errors.PrimaryRefused: _fixed(502, 10500, "Internal error"),
    errors.PrimaryMoved: _fixed(502, 10500, "Internal error"),
    errors.PrimaryUntrusted: _fixed(502, 10500, "Internal error"),
    errors.BrokenFeed: _fixed(502, 10500, "Internal error"),
    errors.AnswerTooLarge: _fixed(502, 10500, "Internal error"),
    errors.StoreEmpty: _retry_later(503, 10503, "This replica has not got its first copy yet."),
    errors.StoreBusy: _retry_later(503, 10503, "The server is busy. Please try again."),
    errors.StoreFailed: _fixed(500, 1140, UPDATE_FAILED),
    errors.StoreOwned: _fixed(500, 1140, UPDATE_FAILED),
    errors.StoreUnusable: _fixed(500, 1140, UPDATE_FAILED),
}
"""One row for each error that is raised; base classes have none."""

INTERNAL = refusal(500, 10500, "Internal error")

# What never became a request is refused with these.
BAD_REQUEST = refusal(400, 10400, "The request is not HTTP/1.1, or its method is unknown.")
BAD_HOST = refusal(400, 10400, "The request must have one Host header, HOST or HOST:PORT.")
INCOMPLETE = refusal(400, 10400, "The request ended before it was complete.")
URL_TOO_LONG = refusal(414, 10414, "The URL is too long.")
HEADERS_TOO_LARGE = refusal(431, 10431, "The request headers are too large.")
TOO_SLOW = refusal(408, 10408, "The request did not arrive in time.")
TOO_MANY = Refusal(
    503,
    [Message(10503, "The server is busy. Please try again.")],
    (("Retry-After", "1"),),
)


Overrides = Mapping[type[errors.OriginmapError], Render]
"""Rows that replace those of TABLE for some routes, as their `refusals`."""

CORE: Overrides = {access_errors.UnknownToken: _fixed(403, 9109, "Invalid access token")}
"""The routes of users, accounts and zones."""

VERIFY: Overrides = {access_errors.UnknownToken: _fixed(401, 1000, "Invalid API Token")}
"""The routes that verify a token."""

V1_DELETE: Overrides = {
    errors.MappingNotFound: _fixed(404, 1163, "The origin IP has no cloud region mapping.")
}
"""v1's DELETE; its GET has the error of v2 for a missing mapping."""


def render(error: errors.OriginmapError, overrides: Overrides | None = None) -> Refusal:
    """The response for `error`, from the row of its class."""
    return ((overrides or {}).get(type(error)) or TABLE[type(error)])(error)


def in_full(error: errors.OriginmapError) -> Refusal:
    """The response for `error` to the operator: its unabridged text and its hint."""
    status, (first, *_), headers = render(error)
    return Refusal(status, [Message(first.code, str(error), hint=error.hint)], headers)


def message_of(error: errors.OriginmapError, overrides: Overrides | None = None) -> str:
    """The text of `error` for an item of a batch, the same as in a single request."""
    return render(error, overrides).errors[0].message


def no_route(path: str) -> Refusal:
    """The response for an unknown path: below /client/v4 Cloudflare's 400 with the path; elsewhere
    404."""
    cloudflare = path.startswith("/client/v4/")
    shown = path.removeprefix("/client/v4") if cloudflare else path
    lines = [
        Message(7003, f"Could not route to {shown}, perhaps your object identifier is invalid?"),
        Message(7000, "No route for that URI"),
    ]
    return Refusal(400 if cloudflare else 404, lines)


def method_not_allowed(method: str, allow: str) -> Refusal:
    """The response for a method that the path does not support; `allow` lists the supported
    ones."""
    message = Message(7001, f"Method {method} not available for that URI.")
    return Refusal(405, [message], (("Allow", allow),))
