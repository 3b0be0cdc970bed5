"""Load-balancing pools: origins of a zone that share one upper tier.

A pool is part of its zone's record. Pools have a canonical form, in which equal pools are equal
values: sorted by name, the members sorted as addresses and written in canonical text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from originmap.domain.errors import InvalidAddress, InvalidPools
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.problems import first_problems

MAX_POOLS = 100
MAX_MEMBERS = 1_000
MAX_POOLED = MAX_MAPPINGS
"""Members of all pools of a zone. More would make the zone's record large without a use: a member
needs a mapping to count."""

_NAME = re.compile("[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool, and the addresses of its origins as text."""

    name: str
    members: tuple[str, ...]

    @property
    def addresses(self) -> list[Address]:
        """The members as addresses. Raises InvalidAddress, but not for pools that were checked."""
        return [addresses.parse(member) for member in self.members]


class PoolProblem(NamedTuple):
    """A problem, and the name of the pool that has it; "" if it is one of all pools together."""

    pool: str
    text: str


def checked_pools(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """The pools of a zone in canonical form. Raises InvalidPools with the first 100 problems."""
    pools = list(pools)
    problems = first_problems(problem.text for problem in pool_problems(pools))
    if problems:
        raise InvalidPools(problems)
    found = (Pool(p.name, tuple(map(addresses.text, sorted(p.addresses)))) for p in pools)
    return tuple(sorted(found, key=lambda pool: pool.name))


def pool_problems(pools: Sequence[Pool]) -> Iterator[PoolProblem]:
    """Every reason why a zone cannot have these pools. Members are not looked at if they are too
    many."""
    names, owners = set[str](), dict[Address, str]()
    too_large = list(_size_problems(pools))
    for pool in pools:
        if not _NAME.fullmatch(pool.name):
            text = f"pool {pool.name[:80]!r}: a name is 1 to 64 of the characters a-z, 0-9 and -"
            yield PoolProblem(pool.name, text)
        if pool.name in names:
            text = f"there are two pools {pool.name[:80]}: rename or join them"
            yield PoolProblem(pool.name, text)
        names.add(pool.name)
        if not too_large:
            yield from _member_problems(pool, owners)
    yield from too_large


def _size_problems(pools: Sequence[Pool]) -> Iterator[PoolProblem]:
    for pool in pools:
        if len(pool.members) > MAX_MEMBERS:
            text = f"pool {pool.name[:80]} has {len(pool.members):,} members"
            yield PoolProblem(pool.name, f"{text}; the limit is {MAX_MEMBERS:,}")
    if len(pools) > MAX_POOLS:
        yield PoolProblem("", f"{len(pools):,} pools; the limit is {MAX_POOLS} a zone")
    members = sum(len(pool.members) for pool in pools)
    if members > MAX_POOLED:
        text = f"the pools have {members:,} members; the limit is {MAX_POOLED:,} a zone"
        yield PoolProblem("", text)


def _member_problems(pool: Pool, owners: dict[Address, str]) -> Iterator[PoolProblem]:
    """The problems of a pool's members; `owners` has the pool of each address so far."""
    name = pool.name[:80]
    if not pool.members:
        yield PoolProblem(pool.name, f"pool {name} has no members: add some, or remove the pool")
    for member in pool.members:
        try:
            address = addresses.parse(member)
        except InvalidAddress as error:
            yield PoolProblem(pool.name, f"pool {name}: {error}")
            continue
        if address in owners:
            first = owners[address][:80]
            where = f"pool {name} twice" if first == name else f"the pools {first} and {name}"
            text = f"{addresses.text(address)} is in {where}: an origin can be in one pool, once"
            yield PoolProblem(pool.name, text)
        owners.setdefault(address, pool.name)
