"""Hooks on a store in memory: their delivery in the test's process, on a clock of the test."""

from contextlib import AbstractAsyncContextManager

from originmap.domain.hook.hook import Hook, HookPosition
from originmap.domain.hook.rules import add_hook
from originmap.domain.mapping.mapping import put
from originmap.outbound.hook_sender import HookSender
from originmap.outbound.tls import unused_context
from originmap.service.access.directory import Directory
from originmap.service.background import running
from originmap.service.feed.feed import Feed
from originmap.service.history.past_zones import PastZones
from originmap.service.hook.book import HookBook
from originmap.service.hook.courier import DeliverySetup
from originmap.service.hook.deliveries import Deliveries
from originmap.store.port import Store
from tests.builders import CAUSE, US_EAST, ZONE_ID, ip

SECRET = "whsec_" + "c2VjcmV0" * 4
DAY = 86_400 * 1_000_000 + 1_000
"""A little more than the time after which a message is dead."""
START = 1_800_000_000 * 1_000_000


class Clock:
    """The time of the test, in microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> int:
        return self.time


class Post:
    """The hooks of a store."""

    def __init__(self, store: Store, clock: Clock, holder: str = "", seconds: float = 5) -> None:
        self.store, self.clock = store, clock
        directory = Directory()
        store.follow_records(directory.apply)
        self.feed = Feed(store, PastZones(store, directory))
        self.book = HookBook(store)
        self._setup = DeliverySetup(store, self.feed, self.book, clock, holder, tick=0.01)
        self._seconds = seconds

    async def add(self, url: str, *on: str, name: str = "ops") -> Hook:
        """Add a hook."""
        hook = Hook(name, url, on or ("mapping",), SECRET, self.store.revision, self.clock())
        await self.store.write_records(add_hook(hook), CAUSE)
        return hook

    async def put(self, *last: int) -> None:
        """Change the mappings of 192.0.2.LAST, one after another."""
        for number in last:
            await self.store.write(
                ZONE_ID, [ip(f"192.0.2.{number}")], put(ip(f"192.0.2.{number}"), US_EAST), CAUSE
            )

    def position(self, name: str = "ops") -> HookPosition:
        """The stored position of a hook."""
        return self.book.position(self.book.hook(name))

    def delivering(self) -> AbstractAsyncContextManager[None]:
        """Deliver in the background."""

        def sender() -> HookSender:
            return HookSender(unused_context, private=True, seconds=self._seconds)

        return running(Deliveries(self._setup, sender).run())
