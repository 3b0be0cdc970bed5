"""Delivery: order, repeated attempts, restarts, dead letters, and hooks beside each other."""

import asyncio
from collections.abc import Iterator

import pytest

from originmap.domain.history.record import Kind, RecordChange
from originmap.domain.history.report import Subject
from originmap.domain.hook.hook import HookPosition
from originmap.domain.hook.rules import (
    discard_letters,
    remove_hook,
    retry_letters,
    save_position,
)
from originmap.domain.rollout.rollout import hold
from originmap.domain.rollout.rules import take
from originmap.feed.changes_json import changes_json
from originmap.service.history.reports import Reports
from originmap.store.memory import MemoryStore
from tests.builders import CAUSE, new_zone
from tests.hook.post import DAY, Clock, Post
from tests.hook.receiver import Receiver
from tests.waiting import until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


@pytest.fixture
async def post() -> Post:
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    return Post(store, clock)


def addresses(receiver: Receiver) -> list[str]:
    return [received.json["id"] for received in receiver.of_kind("mapping")]


async def test_changes_arrive_in_order_as_in_the_feed(post: Post, receiver: Receiver) -> None:
    await post.put(1)
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(2, 3, 4)
        await until(lambda: post.book.tally.delivered == 3)
    changes = [c for c in await post.store.changes(0, 100) if not isinstance(c.what, RecordChange)]
    expected = changes_json(changes[1:])
    assert addresses(receiver) == ["192.0.2.2", "192.0.2.3", "192.0.2.4"]
    for received, change in zip(receiver.received, expected, strict=True):
        assert received.json["revision"] == change.revision
        assert received.json["after"] == {"vendor": "aws", "region": "us-east-1"}
    assert post.position().revision >= expected[-1].revision


async def test_a_hook_sends_the_kinds_that_it_is_for(post: Post, receiver: Receiver) -> None:
    await post.add(receiver.url, "zone", "rollout", "drift", "ranges")
    reports, subject = Reports(post.store, post.clock), Subject("example.com", 2)
    async with post.delivering():
        await post.put(1)
        await post.store.write_records(new_zone("a" * 32, "other.example"), CAUSE)
        await post.store.write_records(take(hold(1, 5), "me", 5), CAUSE)
        for kind in ("drift", "ranges", "ranges"):
            await reports.record(kind, [subject], CAUSE)
        await until(lambda: post.book.tally.delivered == 4)
    found = [received.json for received in receiver.received]
    assert [each["kind"] for each in found] == ["zone", "rollout", "drift", "ranges"]
    assert found[1]["after"]["state"] == "held"
    assert found[2]["after"]["subjects"] == [{"name": "example.com", "count": 2, "detail": ""}]


async def test_delivery_itself_changes_nothing_that_is_delivered(
    post: Post, receiver: Receiver
) -> None:
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1)
        await until(lambda: post.book.tally.delivered == 1)
    written = [c.what.key.kind for c in await post.store.changes(3, 100)]
    assert written == [Kind.HOOK_POSITION]
    assert len(receiver.received) == 1


async def test_a_failed_message_is_repeated_before_the_next(post: Post, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1, 2)
        for attempts in (1, 2):
            await until(lambda n=attempts: post.position().attempts == n)
            assert post.position().problem == f"status {(500, 503)[attempts - 1]}"
            assert post.position().retry_at > post.clock.time
            post.clock.time = post.position().retry_at
        await until(lambda: post.book.tally.delivered == 2)
    assert addresses(receiver) == ["192.0.2.1"] * 3 + ["192.0.2.2"]
    first = receiver.received[:3]
    assert len({received.id for received in first}) == 1
    assert len({received.body for received in first}) == 1
    assert post.position().attempts == 0
    assert (post.book.tally.delivered, post.book.tally.failed) == (2, 2)


async def test_the_pauses_grow_to_an_hour(post: Post, receiver: Receiver) -> None:
    receiver.statuses = [500] * 14
    await post.add(receiver.url)
    pauses = []
    async with post.delivering():
        await post.put(1)
        for attempts in range(1, 15):
            await until(lambda n=attempts: post.position().attempts == n)
            pauses.append((post.position().retry_at - post.clock.time) / 1e6)
            post.clock.time = post.position().retry_at
    for number, pause in enumerate(pauses):
        longest = min(5 * 2**number, 3600)
        assert longest / 2 <= pause <= longest


async def test_a_receiver_that_does_not_respond_is_tried_again(receiver: Receiver) -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    post = Post(store, clock, seconds=0.2)
    receiver.hanging = True
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1)
        await until(lambda: post.position().attempts == 1)
        assert post.position().problem == "no response in 0.2 s"
        receiver.hanging = False
        clock.time = post.position().retry_at
        await until(lambda: len(receiver.received) == 2)


async def test_a_hanging_hook_delays_no_other_and_no_write(post: Post, receiver: Receiver) -> None:
    with Receiver() as slow:
        slow.hanging = True
        await post.add(slow.url, name="slow")
        await post.add(receiver.url)
        async with post.delivering():
            await post.put(*range(1, 51))
            await until(lambda: post.book.tally.delivered == 50)
            assert len(slow.received) == 1
    assert addresses(receiver) == [f"192.0.2.{n}" for n in range(1, 51)]


async def test_delivery_continues_after_a_restart(post: Post, receiver: Receiver) -> None:
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1)
        await until(lambda: post.book.tally.delivered == 1)
    await post.put(2)
    receiver.statuses = [500]
    async with post.delivering():
        await until(lambda: post.position().attempts == 1)
    post.clock.time += DAY // 4 + 1_0008
    async with Post(post.store, post.clock).delivering():
        await until(lambda: len(receiver.received) == 3)
    assert addresses(receiver) == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]


async def test_a_message_is_dead_after_a_day_and_the_next_gets_its_own(
    post: Post, receiver: Receiver
) -> None:
    await post.add(receiver.url)
    receiver.statuses = [500] * 100
    async with post.delivering():
        await post.put(1)
        await until(lambda: post.position().attempts == 1)
        post.clock.time += DAY // 2 + 1_000
        await post.put(2)
        await until(lambda: post.position().attempts == 2)
        assert not post.book.dead
        post.clock.time += DAY // 2 + 1_000
        await until(lambda: post.book.dead == 1)
        post.clock.time += DAY // 4 + 1_000
        await until(lambda: addresses(receiver)[-1] == "192.0.2.2")
        assert post.book.dead == 1
        post.clock.time += DAY // 4 + 1_000
        await until(lambda: post.book.dead == 2)
        receiver.statuses = []
        await post.put(3)
        post.clock.time = post.position().retry_at
        await until(lambda: post.book.tally.delivered == 1)
    letters = post.book.letters("ops").letters
    assert [letter.problem for letter in letters] == ["status 500"] * 2
    assert post.position().attempts == 0


async def test_dead_letters_are_sent_again_or_discarded_on_request(
    post: Post, receiver: Receiver
) -> None:
    await post.add(receiver.url)
    receiver.statuses = [500, 500]
    async with post.delivering():
        await post.put(1, 2, 3)
        await until(lambda: post.position().attempts == 1)
        post.clock.time += DAY
        await until(lambda: post.book.dead == 3)
        first, second, _ = (letter.revision for letter in post.book.letters("ops").letters)
        await post.store.write_records(discard_letters("ops", [second]), CAUSE)
        receiver.statuses = [503]
        receiver.received.clear()
        done = await post.store.write_records(retry_letters("ops", [first, 99]), CAUSE)
        assert done.outcome == 1
        await until(lambda: post.book.letters("ops").letters[0].problem == "status 503")
        await post.store.write_records(retry_letters("ops", []), CAUSE)
        await until(lambda: not post.book.dead)
    assert addresses(receiver) == ["192.0.2.1", "192.0.2.1", "192.0.2.3"]


async def test_a_removed_hook_sends_nothing_more(post: Post, receiver: Receiver) -> None:
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1)
        await until(lambda: receiver.received)
        await post.store.write_records(remove_hook("ops"), CAUSE)
        await post.put(2)
        with Receiver() as other:
            await post.add(other.url)
            await post.put(3)
            await until(lambda: other.received)
            assert addresses(other) == ["192.0.2.3"]
    assert addresses(receiver) == ["192.0.2.1"]


async def test_one_of_several_processes_delivers_and_another_takes_over(receiver: Receiver) -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    one, other = Post(store, clock, "one"), Post(store, clock, "other")
    await one.add(receiver.url)
    async with other.delivering():
        async with one.delivering():
            await one.put(*range(1, 21))
            await until(lambda: sum(each.book.tally.delivered for each in (one, other)) == 20)
            assert addresses(receiver) == [f"192.0.2.{n}" for n in range(1, 21)]
        await one.put(21)
        await until(lambda: addresses(receiver)[-1] == "192.0.2.21")
    assert len(receiver.received) == 21


async def test_another_process_takes_over_a_minute_after_a_crash(receiver: Receiver) -> None:
    clock = Clock()
    store = MemoryStore(clock)
    await store.write_records(new_zone(), CAUSE)
    post = Post(store, clock, "other")
    hook = await post.add(receiver.url)
    crashed = HookPosition("ops", hook.since, holder="one", held_until=clock.time + 60_000_000)
    await store.write_records(save_position(hook, crashed, clock.time), CAUSE)
    async with post.delivering():
        await post.put(1)
        await asyncio.sleep(0.05)
        assert not receiver.received
        clock.time += 60_000_000
        await until(lambda: post.book.tally.delivered == 1)
    assert post.position().holder == "other"


async def test_a_replica_sends_nothing_until_it_is_promoted(post: Post, receiver: Receiver) -> None:
    await post.add(receiver.url)
    async with post.delivering():
        await post.put(1)
        await until(lambda: post.book.tally.delivered == 1)
    await post.put(2)
    copy = MemoryStore(post.clock)
    await copy.load(post.store.snapshot(history=True))
    replica = Post(copy, post.clock)
    async with replica.delivering():
        await asyncio.sleep(0.05)
        assert len(receiver.received) == 1
        await copy.promote()
        await until(lambda: len(receiver.received) == 2)
    assert addresses(receiver) == ["192.0.2.1", "192.0.2.2"]


async def test_changes_that_left_the_history_are_a_dead_letter(
    post: Post, receiver: Receiver
) -> None:
    await post.add(receiver.url)
    await post.put(1, 2, 3)
    await post.store.forget(4, 100)
    async with post.delivering():
        await until(lambda: len(receiver.received) == 1)
    (letter,) = post.book.letters("ops").letters
    assert "left the history" in letter.problem
    assert addresses(receiver) == ["192.0.2.3"]
