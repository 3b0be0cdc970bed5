"""Every error that Originmap raises on purpose, in one tree.

    OriginmapError
    ├── InvalidInput                invalid input of a caller
    │   ├── InvalidAddress          not an IP address, or one that cannot be an origin
    │   ├── AddressMismatch         body and path name different addresses
    │   ├── DuplicateAddress        an address twice in one batch
    │   ├── UnknownRegion           vendor or region not in the catalogue
    │   ├── InvalidBatch            not an array of 1 to 100 items
    │   ├── InvalidPage             page or per_page out of range
    │   ├── InvalidTime             neither a time nor a date
    │   ├── MalformedJSON           the body is not JSON
    │   ├── BodyTooLarge            the body is over the limit
    │   ├── InvalidZoneName         not a domain name
    │   ├── InvalidZoneChange       a PATCH of a zone without exactly one supported member
    │   ├── InvalidNameServers      vanity name servers that are not a list of host names
    │   ├── InvalidZoneType         an unknown zone type
    │   ├── InvalidSetting          a setting's value that is neither "on" nor "off"
    │   ├── InvalidToken            a token with an invalid name, policy or condition
    │   ├── SeveralProblems         carries all `problems`
    │   │   ├── InvalidTopology
    │   │   ├── InvalidLatencies
    │   │   └── InvalidPools
    │   ├── InvalidQuery            invalid arguments or members of our own routes
    │   ├── InvalidExport           a wrong format, file, colo or upper tier's address
    │   └── UnknownPermissionGroup  a policy names a group that does not exist
    ├── NotFound
    │   ├── MappingNotFound
    │   ├── ZoneNotFound
    │   ├── AccountNotFound
    │   └── TokenNotFound
    ├── Conflict
    │   ├── MappingExists           v1's create of an existing mapping
    │   ├── ZoneExists
    │   ├── TooManyMappings         the zone has 3,500 mappings
    │   └── RolloutConflict         the rollout's state does not allow the step
    ├── TieredCacheOff              the zone has Tiered Cache off
    ├── RateLimited                 too many requests; carries `retry_after`
    ├── NotThePrimary               a write sent to a replica; carries `primary`
    ├── StillFollowing              a replica cannot be promoted while its server runs
    ├── HistoryGone                 a revision before the start of the history; carries `oldest`
    ├── Stale                       If-Match names another revision than the current one
    ├── ZoneChanging                concurrent writes to a zone prevented its rollback
    ├── FeedError                   the primary cannot be followed
    │   ├── PrimaryGone             it is unreachable, or disconnects
    │   ├── PrimaryRefused          it answers with an error
    │   ├── PrimaryMoved            it redirects to another URL
    │   ├── PrimaryUntrusted        the TLS connection fails, usually because of the certificate
    │   ├── BrokenFeed              it sent invalid data
    │   └── AnswerTooLarge          its answer is over the limit; carries `most`
    ├── StoreError
    │   ├── StoreBusy               too many concurrent requests; carries `retry_after`
    │   ├── StoreEmpty              a replica before its first full sync
    │   ├── StoreFailed             a write was not committed
    │   ├── StoreOwned              another process owns the file
    │   └── StoreUnusable           not our file, from a newer version, or damaged
    ├── AccessError                 authentication and permissions; see `domain.access.errors`
    ├── OwnRegionError              own regions; see `domain.mapping.own_region_errors`
    └── HookError                   webhooks; see `domain.hook.errors`

An error carries data, and a `hint` if the user can act on it; `api.errors` has the statuses.
"""

from collections.abc import Sequence


class OriginmapError(Exception):
    """The base class of all errors that Originmap raises on purpose."""

    hint: str = ""
    page: str = ""  # in docs/, with an anchor if it has one


class InvalidInput(OriginmapError):
    """The caller's input is invalid."""


class InvalidAddress(InvalidInput):
    """The address is not an IP address, or cannot be the address of an origin."""

    def __init__(self, text: object) -> None:
        super().__init__(f"not an origin IP address: {text!r}")
        self.text = text


class AddressMismatch(InvalidInput):
    """The body and the path name different addresses."""


class DuplicateAddress(InvalidInput):
    """An earlier item of the batch has the same address."""


class UnknownRegion(InvalidInput):
    """The catalogue does not have this vendor or region."""

    def __init__(self, vendor: object, region: object) -> None:
        super().__init__(f"unknown vendor or region: {vendor!r} {region!r}")
        self.vendor, self.region = vendor, region


class InvalidBatch(InvalidInput):
    """The batch is not an array of 1 to 100 items."""


class InvalidPage(InvalidInput):
    """`page` or `per_page` is out of range. `parameter` says which."""

    def __init__(self, parameter: str, at_most: int) -> None:
        super().__init__(f"invalid {parameter}")
        self.parameter, self.at_most = parameter, at_most


class InvalidTime(InvalidInput):
    """A query argument is neither a time nor a date. `parameter` says which."""

    def __init__(self, parameter: str) -> None:
        super().__init__(f"invalid {parameter}")
        self.parameter = parameter


class MalformedJSON(InvalidInput):
    """The body is not JSON (RFC 8259)."""


class BodyTooLarge(InvalidInput):
    """The body is longer than the server accepts."""


class InvalidZoneName(InvalidInput):
    """The name is not a domain name (RFC 1035 §2.3.1, RFC 5891 for the A-label form)."""

    def __init__(self, name: object, reason: str = "") -> None:
        super().__init__(f"not a domain name: {name!r}{reason and ': '}{reason}")
        self.name = name
        self.hint = "use a name like example.com or bücher.example, with characters of IDNA 2008"


class InvalidZoneChange(InvalidInput):
    """The change is not exactly one of `paused`, `type` and `vanity_name_servers`."""


class InvalidNameServers(InvalidInput):
    """`vanity_name_servers` is not an array of at most 20 host names."""


class InvalidZoneType(InvalidInput):
    """The type of the zone is unknown."""


class InvalidSetting(InvalidInput):
    """The value of the setting is neither "on" nor "off"."""


class InvalidToken(InvalidInput):
    """The token cannot be created as requested. The text says why."""


class SeveralProblems(InvalidInput):
    """Input with one or more problems. `problems` lists all of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidTopology(SeveralProblems):
    """The topology is inconsistent."""

    page = "topology.md"


class InvalidLatencies(SeveralProblems):
    """The latency measurements are invalid."""


class InvalidPools(SeveralProblems):
    """The load-balancing pools of a zone are invalid."""


class InvalidQuery(InvalidInput):
    """An argument or member of one of our own routes is unknown, missing or wrong."""


class InvalidExport(InvalidInput):
    """The format, file or colo of the export is unknown, or an upper tier has no address."""

    page = "exports.md"

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


class UnknownPermissionGroup(InvalidInput):
    """A policy names a permission group that does not exist."""

    def __init__(self, group: str) -> None:
        super().__init__(f"Permission group {group} not found")
        self.group = group


class NotFound(OriginmapError):
    """The requested object does not exist."""


class MappingNotFound(NotFound):
    """The zone has no mapping for this address."""


class ZoneNotFound(NotFound):
    """No zone has this ID or name."""

    def __init__(self, zone: str) -> None:
        super().__init__(f"there is no zone {zone}")
        self.zone, self.hint = zone, "run originmap zone list to see all zones"


class AccountNotFound(NotFound):
    """No account has this ID."""

    def __init__(self, account: str) -> None:
        super().__init__(f"there is no account {account}")
        self.account = account


class TokenNotFound(NotFound):
    """No token has this ID."""

    def __init__(self, token: str) -> None:
        super().__init__(f"there is no token {token}")
        self.token, self.hint = token, "run originmap token list to see all tokens"


class Conflict(OriginmapError):
    """The request conflicts with the current state."""


class MappingExists(Conflict):
    """The zone has a mapping for this address."""


class ZoneExists(Conflict):
    """A zone of this name exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the zone {name} exists already")
        self.name = name


class TooManyMappings(Conflict):
    """The write would exceed the limit of 3,500 mappings per zone."""


class RolloutConflict(Conflict):
    """The state of the rollout does not allow this step. The text says why."""


class TieredCacheOff(OriginmapError):
    """The zone has Tiered Cache off, and the route needs it on."""


class RateLimited(OriginmapError):
    """The caller sent more requests than the rate limit allows. `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests: retry after {retry_after} s")
        self.retry_after = retry_after


class NotThePrimary(OriginmapError):
    """A write was sent to a replica. `primary` is the URL of its primary."""

    def __init__(self, primary: str) -> None:
        super().__init__(f"This is a replica. Send writes to its primary, {primary}")
        self.primary, self.hint = primary, f"do this on the primary, {primary}"


class StillFollowing(OriginmapError):
    """The server of the replica is running. It follows `primary` and must stop first."""

    def __init__(self, primary: str) -> None:
        super().__init__(f"a running server uses this database as a replica of {primary}")
        self.primary = primary
        self.hint = "stop it, promote the database, and start it again without --follow"


class HistoryGone(OriginmapError):
    """The revision is older than the history. `oldest` is the first that is kept."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the history goes back to revision {oldest}")
        self.oldest = oldest


class Stale(OriginmapError):
    """The entry has another revision than `If-Match` names."""


class ZoneChanging(OriginmapError):
    """Other writers added mappings to the zone during each of five attempts to roll it back."""


class FeedError(OriginmapError):
    """The primary cannot be followed."""

    page = "replicas.md"


class PrimaryGone(FeedError):
    """The primary cannot be reached, or the connection broke."""


class PrimaryRefused(FeedError):
    """The primary refused the request of its follower."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"the primary answers {status}: {text}")
        self.status, self.text = status, text
        self.hint = (
            "use a token with --access replicate for originmap serve, edge for originmap edge"
        )
        if status == 404:
            self.hint = "check that --follow is the URL of an Originmap server, with its path"
        elif status == 407:
            self.hint = "add a user and a password to the proxy: http://USER:PASSWORD@HOST:PORT"


class PrimaryMoved(FeedError):
    """The primary redirects to another URL, which is not followed: it would get the token."""

    def __init__(self, status: int, url: str) -> None:
        super().__init__(f"the primary answers {status}, a redirect to {url}")
        self.hint = f"if that is the primary, use --follow {url}"


class PrimaryUntrusted(FeedError):
    """TLS with the primary failed, most often because its certificate is not trusted."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"no TLS connection to the primary: {reason}")
        self.hint = hint


class BrokenFeed(FeedError):
    """The data from the primary is damaged. Nothing of it was kept."""


class AnswerTooLarge(FeedError):
    """The primary sent more data than the limit. `most` is in bytes; nothing was kept."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the primary sent more than {most >> 20:,} MiB")
        self.most, self.hint = most, "check the primary, or raise the limit with --copy-limit"


class StoreError(OriginmapError):
    """The database could not be read or written."""

    page = "operations.md"


class StoreBusy(StoreError):
    """Too many writes, snapshots or exports are in progress. Try again in `retry_after` seconds."""

    retry_after = 1


class StoreEmpty(StoreError):
    """The replica does not have its first copy yet. Try again in `retry_after` seconds."""

    retry_after = 5

    def __init__(self) -> None:
        super().__init__("this replica has not completed its first full sync")
        self.hint = "check that its primary is reachable, and retry"


class StoreFailed(StoreError):
    """The database could not be read or written. Nothing of the write was kept."""

    damaged = False  # whether the database is damaged and must be replaced


class StoreOwned(StoreError):
    """Another process owns the database file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"another process owns {path}")
        self.path, self.hint = path, "stop that process, or use another --db"


class StoreUnusable(StoreError):
    """The database is not an Originmap database, is from a newer version, or is damaged. `spoilt`
    means one of the last two: a replica can fetch its copy again."""

    def __init__(self, path: str, reason: str, hint: str = "", *, spoilt: bool = False) -> None:
        super().__init__(f"cannot use {path}: {reason}")
        self.path, self.reason = path, reason
        self.hint, self.spoilt = hint, spoilt
