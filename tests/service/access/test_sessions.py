"""Long responses end with their credential."""

import asyncio
from dataclasses import replace

import pytest

from originmap.domain.access.token import Token
from originmap.domain.access.token_rules import create_token
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecide, RecordDecision
from originmap.service.access.access import Access
from originmap.service.access.directory import Directory
from originmap.service.access.sessions import Sessions
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, new_zone, token


class World:
    """A token and a response to it."""

    def __init__(self) -> None:
        self.store, directory = MemoryStore(), Directory()
        self.store.follow_records(directory.apply)
        self.directory = directory
        self.now = 0
        self.sessions = Sessions(self.store, Access(directory, lambda: self.now), lambda: self.now)
        self.ended: list[str] = []

    async def open(self, made: Token) -> None:
        await self.store.write_records(create_token(made), CAUSE)
        caller = self.directory.token_caller(made.secret_hash)
        assert caller is not None
        self.session = self.sessions.open(caller, lambda: self.ended.append(made.id))


def change(before: Token, after: Token | None) -> RecordDecide[None]:
    changed = RecordChange(Key(Kind.TOKEN, before.id), before, after)
    return lambda records: RecordDecision((changed,), None)


def expiring(at: int) -> Token:
    return replace(token("short"), expires_on=at)


@pytest.mark.parametrize("disabled", [False, True])
async def test_revoking_or_disabling_a_token_ends_its_responses(disabled: bool) -> None:
    world, made = World(), token("one")
    await world.open(made)
    await world.store.write_records(create_token(token("another")), CAUSE)
    await world.store.write_records(new_zone(), CAUSE)
    assert (world.ended, world.sessions.count) == ([], 1)
    after = replace(made, disabled=True) if disabled else None
    await world.store.write_records(change(made, after), CAUSE)
    assert (world.ended, world.sessions.count) == (["one"], 0)


async def test_the_expiry_of_a_token_ends_its_responses() -> None:
    world = World()
    await world.open(expiring(50_000))
    await asyncio.sleep(0.08)
    assert world.ended == []  # the clock has not reached the expiry
    world.now = 50_000
    await asyncio.sleep(0.08)
    assert (world.ended, world.sessions.count) == (["short"], 0)


async def test_a_complete_response_is_not_ended() -> None:
    world = World()
    await world.open(expiring(50_000))
    world.session.close()
    world.now = 50_000
    await asyncio.sleep(0.08)
    assert (world.ended, world.sessions.count) == ([], 0)
