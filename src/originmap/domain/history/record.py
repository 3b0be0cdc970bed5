"""Records: accounts, users, zones, tokens, topology, own regions and more; and rules for them.

There are few records, so a rule sees all of them. Like a rule for mappings, it is a pure function
that returns the changes or raises, and the store calls it inside its transaction. The rules are in
`zone.rules`, `access.token_rules`, `tier.topology_rules`, `mapping.own_region_rules`,
`rollout.rules` and `hook.rules`.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingABC
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from originmap.domain.access.token import Token
from originmap.domain.history.report import RecordedReport
from originmap.domain.hook.hook import DeadLetters, Hook, HookPosition
from originmap.domain.mapping.own_regions import OwnRegions
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Account, User, Zone

T = TypeVar("T", covariant=True)

Value = (
    Account
    | User
    | Zone
    | Token
    | Topology
    | Latencies
    | OwnRegions
    | Rollout
    | Hook
    | HookPosition
    | DeadLetters
    | RecordedReport
)


class Kind(Enum):
    """The kinds of record; the value is the name in the database."""

    ACCOUNT = "account"
    USER = "user"
    ZONE = "zone"
    TOPOLOGY = "topology"
    LATENCIES = "latencies"
    CATALOGUE = "catalogue"
    ROLLOUT = "rollout"
    TOKEN = "token"  # noqa: S105 (a name, not a secret)
    HOOK = "hook"
    HOOK_POSITION = "hook_position"
    DEAD_LETTERS = "dead_letters"
    DRIFT = "drift"
    RANGES = "ranges"
    HIDDEN = "hidden"  # a change that the reader cannot see; there are no such records


TYPES: dict[Kind, type[Value]] = {
    Kind.ACCOUNT: Account,
    Kind.USER: User,
    Kind.ZONE: Zone,
    Kind.TOKEN: Token,
    Kind.TOPOLOGY: Topology,
    Kind.LATENCIES: Latencies,
    Kind.CATALOGUE: OwnRegions,
    Kind.ROLLOUT: Rollout,
    Kind.HOOK: Hook,
    Kind.HOOK_POSITION: HookPosition,
    Kind.DEAD_LETTERS: DeadLetters,
    Kind.DRIFT: RecordedReport,
    Kind.RANGES: RecordedReport,
}
"""The type of the records of each kind. HIDDEN has no records."""


class Key(NamedTuple):
    """Names one record."""

    kind: Kind
    id: str


class RecordChange(NamedTuple):
    """A change of a record: `before` is None if it is created, `after` if it is deleted.

    Deleting a zone deletes its mappings too, each with a change of its own.
    """

    key: Key
    before: Value | None
    after: Value | None


HIDDEN = RecordChange(Key(Kind.HIDDEN, ""), None, None)
"""Replaces a change that the reader cannot see, so that the revisions have no gaps."""


class RecordDecision(NamedTuple, Generic[T]):
    """The changes of records, in order, and the outcome for the caller."""

    changes: tuple[RecordChange, ...]
    outcome: T


RecordsView = MappingABC[Key, Value]

RecordDecide = Callable[[RecordsView], RecordDecision[T]]
"""Decides on the basis of all records, without I/O, like a rule for mappings."""
