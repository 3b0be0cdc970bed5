"""A mapping: this origin address of a zone is in that region of a vendor.

Owns the rules for one address. A rule is a function that makes a *decide* function: given what
is stored now (`ZoneView`), it returns what shall change (`Decision`) or raises. The store calls
it inside the transaction and stamps the changes with a time and revisions, so rules need no
database, no clock, and hold on every store. Batches are in `domain.mapping.batch`.
"""

# Rules define a function for each request: its annotations shall cost nothing.
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
    """Where an origin is, in the vendor's own words: ("aws", "us-east-1")."""

    vendor: str
    region: str


class Mapping(NamedTuple):
    """A stored mapping. A tuple, because one is made for every read."""

    address: Address
    place: Place
    modified_on: int  # microseconds since 1970-01-01 UTC
    revision: int  # of the change that made it what it is


class MappingChange(NamedTuple):
    """One address of a zone gets another place: `before` is None for a new one, `after` for
    one that goes."""

    address: Address
    before: Place | None
    after: Place | None


@dataclass(frozen=True, slots=True)
class ZoneView:
    """What a decide function sees: the mappings stored now of the addresses it asked for, and
    how many the whole zone has."""

    current: MappingABC[Address, Mapping]
    count: int


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What shall change, in order and each address once, and what the caller wants to know of
    it (`outcome`)."""

    changes: tuple[MappingChange, ...]
    outcome: T


Decide = Callable[[ZoneView], Decision[T]]


def put(address: Address, place: Place) -> Decide[Mapping | None]:
    """Create or replace the mapping of one address.

    Where exactly this is stored already nothing changes, and the outcome is the stored mapping
    (published: "idempotent"); else None. Replacing is allowed in a full zone.
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
    """As `put`, but raises MappingExists where the address has a mapping."""
    decide_put = put(address, place)

    def decide(view: ZoneView) -> Decision[Mapping | None]:
        if address in view.current:
            raise MappingExists
        return decide_put(view)

    return decide


@dataclass(frozen=True, slots=True)
class IfMatch:
    """A write is meant for a mapping at one of these revisions; with None, for one that is there
    at all (RFC 9110 §13.1.1)."""

    revisions: frozenset[int] | None


def matching(decide: Decide[T], address: Address, condition: IfMatch | None) -> Decide[T]:
    """As `decide`, under a condition on the mapping of `address`. Raises Stale where it is not
    met."""
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
    """Remove the mapping of one address; the outcome is what it was. Raises MappingNotFound
    where there is none."""

    def decide(view: ZoneView) -> Decision[Mapping]:
        stored = view.current.get(address)
        if stored is None:
            raise MappingNotFound
        return Decision((MappingChange(address, stored.place, None),), stored)

    return decide
