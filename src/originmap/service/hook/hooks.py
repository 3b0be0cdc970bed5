"""The administration of hooks."""

import secrets
from collections.abc import Collection, Sequence
from typing import NamedTuple

from originmap.domain.history.change import Cause
from originmap.domain.history.record import RecordDecision, RecordsView
from originmap.domain.hook.hook import (
    DeadLetters,
    Hook,
    HookPosition,
    check_hook,
    kinds_of,
)
from originmap.domain.hook.rules import add_hook, discard_letters, remove_hook, retry_letters
from originmap.service.hook.book import HookBook
from originmap.service.hook.message import NewSender, ping
from originmap.store.clock import Now
from originmap.store.port import Store


class HookStatus(NamedTuple):
    """A hook, how far its delivery has come, and the number of its dead letters."""

    hook: Hook
    position: HookPosition
    dead: int


class Hooks:
    """Adds, lists, tests and removes hooks. The caller checks permissions."""

    def __init__(
        self, store: Store, book: HookBook, new_sender: NewSender, now: Now, *, private: bool
    ) -> None:
        """`now` is in microseconds since 1970 UTC. With `private`, receivers can have private
        addresses and URLs with http."""
        self._store = store
        self._book = book
        self._new_sender = new_sender
        self._now = now
        self._private = private

    def all(self) -> list[HookStatus]:
        """Return every hook, by name."""
        return [self._status(hook) for hook in self._book.all()]

    async def add(
        self, name: str, url: str, on: Sequence[str], secret: str, cause: Cause
    ) -> HookStatus:
        """Add a hook; "" for a random name. It sends the changes from now on. Raises InvalidHook,
        HookExists."""
        name = name or f"hook-{secrets.token_hex(4)}"
        revision = self._store.revision
        hook = Hook(name, url, kinds_of(on), secret, revision, self._now())
        check_hook(hook, private=self._private)
        return self._status((await self._store.write_records(add_hook(hook), cause)).outcome)

    async def remove(self, name: str, cause: Cause) -> None:
        """Remove a hook; nothing is sent after the commit. Raises HookNotFound."""
        await self._store.write_records(remove_hook(name), cause)

    async def test(self, name: str, cause: Cause) -> str:
        """Send a ping at once and return "", or the reason why the receiver did not accept it.
        Raises HookNotFound, and NotThePrimary on a replica, which sends nothing."""
        hook = self._book.hook(name)
        await self._store.write_records(_nothing, cause)
        sender, now = self._new_sender(), self._now()
        try:
            return await ping(hook, now).send(sender, hook, now)
        finally:
            await sender.close()

    def letters(self, name: str) -> DeadLetters:
        """Return the dead letters of a hook, oldest first. Raises HookNotFound."""
        return self._book.letters(self._book.hook(name).name)

    async def retry(self, name: str, revisions: Collection[int], cause: Cause) -> int:
        """Let dead letters, all without `revisions`, be sent again, once; return their number.
        Raises HookNotFound."""
        return (await self._store.write_records(retry_letters(name, revisions), cause)).outcome

    async def discard(self, name: str, revisions: Collection[int], cause: Cause) -> int:
        """Forget dead letters, all without `revisions`; return their number. Raises
        HookNotFound."""
        return (await self._store.write_records(discard_letters(name, revisions), cause)).outcome

    def _status(self, hook: Hook) -> HookStatus:
        dead = len(self._book.letters(hook.name).letters)
        return HookStatus(hook, self._book.position(hook), dead)


def _nothing(records: RecordsView) -> RecordDecision[None]:
    """An empty write, which a replica refuses."""
    return RecordDecision((), None)
