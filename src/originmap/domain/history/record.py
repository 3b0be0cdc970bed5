"""Records: accounts, users, zones, tokens, topology, latencies, rollout; and rules for them.

There are few of them, so a rule sees all. Like the rules for mappings, it is a pure function
that returns what shall change or raises, and the store calls it inside its transaction. The
rules themselves are in `domain.zone.rules`, `token_rules`, `topology_rules` and `rollout_rules`.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from originmap.domain.access.token import Token
from originmap.domain.rollout.rollout import Rollout
from originmap.domain.tier.latency import Latencies
from originmap.domain.tier.topology import Topology
from originmap.domain.zone.zone import Account, User, Zone

T = TypeVar("T", covariant=True)

Value = Account | User | Zone | Token | Topology | Latencies | Rollout


class Kind(Enum):
    """The kinds of record; the value is what the database calls it."""

    ACCOUNT = "account"
    USER = "user"
    ZONE = "zone"
    TOPOLOGY = "topology"
    LATENCIES = "latencies"
    ROLLOUT = "rollout"
    TOKEN = "token"  # noqa: S105 (a name, not a secret)
    HIDDEN = "hidden"  # a change that the reader may not see; there are no such records


TYPES: dict[Kind, type[Value]] = {
    Kind.ACCOUNT: Account,
    Kind.USER: User,
    Kind.ZONE: Zone,
    Kind.TOKEN: Token,
    Kind.TOPOLOGY: Topology,
    Kind.LATENCIES: Latencies,
    Kind.ROLLOUT: Rollout,
}
"""What the records of each kind are. There are none of HIDDEN."""


class Key(NamedTuple):
    """Names one record."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record gets another value: `before` is None for a new one, `after` for one that goes.

    A zone that goes takes its mappings with it, each with a change record of its own.
    """

    key: Key
    before: Value | None
    after: Value | None


HIDDEN = RecordChange(Key(Kind.HIDDEN, ""), None, None)
"""Stands for a change that the reader may not see, so that its revisions follow each other."""


@dataclass(frozen=True, slots=True)
class RecordDecision(Generic[T]):
    """What shall change among the records, in order, and what the caller wants to know."""

    changes: tuple[RecordChange, ...]
    outcome: T


RecordsView = MappingABC[Key, Value]

RecordDecide = Callable[[RecordsView], RecordDecision[T]]
"""Sees every record there is; decides without I/O, as for mappings."""
