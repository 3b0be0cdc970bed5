"""A mapping: an origin address of a zone is in a region of a vendor.

Owns the rules for one address. A rule returns a *decide* function, which takes the stored mappings
(`ZoneView`) and returns the changes (`Decision`) or raises. The store calls it inside the
transaction and gives the changes a time and revisions, so that rules need no database and no
clock, and work with every store. Batches are in `domain.mapping.batch`.
"""

# Rules define a function for each request: postponed annotations cost nothing.
from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from originmap.domain.errors import MappingExists, MappingNotFound, Stale, TooManyMappings
from originmap.domain.mapping.address import Address

MAX_MAPPINGS = 3500
"""Mappings that a zone can have; published: "Maximum number of IP mappings configured"."""

T = TypeVar("T", covariant=True)


class Place(NamedTuple):
    """The vendor and region of an origin, in the vendor's spelling: ("aws", "us-east-1")."""

    vendor: str
    region: str


class Mapping(NamedTuple):
    """A stored mapping. A tuple, because every read creates one."""

    address: Address
    place: Place
    modified_on: int  # microseconds since 1970-01-01 UTC
    revision: int  # of its last change


class MappingChange(NamedTuple):
    """A change of one address of a zone: `before` is None if the mapping is created, `after` if it
    is deleted."""

    address: Address
    before: Place | None
    after: Place | None


@dataclass(frozen=True, slots=True)
class ZoneView:
    """The input of a decide function: the stored mappings of the requested addresses, and the
    number of mappings of the whole zone."""

    current: MappingABC[Address, Mapping]
    count: int


class Decision(NamedTuple, Generic[T]):
    """The changes, in order and each address once, and the outcome for the caller."""

    changes: tuple[MappingChange, ...]
    outcome: T


Decide = Callable[[ZoneView], Decision[T]]


def put(address: Address, place: Place) -> Decide[Mapping | None]:
    """Create or replace the mapping of one address.

    If the same mapping is stored already, nothing changes and the outcome is the stored mapping
    (published: "idempotent"); otherwise the outcome is None. Replacing is allowed in a full zone.
    Raises TooManyMappings for a new address in a zone that has MAX_MAPPINGS.
    """

    def decide(view: ZoneView) -> Decision[Mapping | None]:
        stored = view.current.get(address)
        if stored is None:
            if view.count >= MAX_MAPPINGS:
                raise TooManyMappings
            return Decision((MappingChange(address, None, place),), None)
        if stored.place == place:
            return Decision((), stored)
        return Decision((MappingChange(address, stored.place, place),), None)

    return decide


def create(address: Address, place: Place) -> Decide[Mapping | None]:
    """Create the mapping of one address, as `put` does. Raises MappingExists if it exists."""
    decide_put = put(address, place)

    def decide(view: ZoneView) -> Decision[Mapping | None]:
        if address in view.current:
            raise MappingExists
        return decide_put(view)

    return decide


class IfMatch(NamedTuple):
    """The condition that a mapping is at one of these revisions; None means that the mapping
    exists (RFC 9110 §13.1.1)."""

    revisions: frozenset[int] | None


def matching(decide: Decide[T], address: Address, condition: IfMatch | None) -> Decide[T]:
    """Add a condition on the mapping of `address` to `decide`. Raises Stale if it is not met."""
    if condition is None:
        return decide
    revisions = condition.revisions

    def decide_if_matching(view: ZoneView) -> Decision[T]:
        stored = view.current.get(address)
        if stored is None or (revisions is not None and stored.revision not in revisions):
            raise Stale
        return decide(view)

    return decide_if_matching


def delete(address: Address) -> Decide[Mapping]:
    """Remove the mapping of one address; the outcome is that mapping. Raises MappingNotFound."""

    def decide(view: ZoneView) -> Decision[Mapping]:
        stored = view.current.get(address)
        if stored is None:
            raise MappingNotFound
        return Decision((MappingChange(address, stored.place, None),), stored)

    return decide
