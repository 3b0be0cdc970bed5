"""Keeps the resources of all connected nodes up to date.

One task follows the commits of the store. It knows which zones changed, and updates the groups of
the connected nodes one after another.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from typing import Protocol
from weakref import WeakValueDictionary

from originmap.domain.history.record import Kind, RecordChange
from originmap.xds.group import ResourceGroup, ResourceSelection, Round, Sources
from originmap.xds.resources import Resource

_MOST_CHANGES = 10_000
"""Changes that are looked at one by one; after more, every zone is rendered again."""
_PORTION = 1_000
_MOST_LARGE = 4
_LONGEST_WAIT = 30.0
"""Seconds between two looks at what changes without a commit: measurements that expire."""


class Member(Protocol):
    """A connected node."""

    @property
    def selection(self) -> ResourceSelection | None:
        """What determines its resources now; None if it must get none."""

    def use(self, group: ResourceGroup) -> None:
        """Use the resources of this group, which are up to date."""


class ResourceGroups:
    """The groups of all connected nodes."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._store = sources.store
        self._members: set[Member] = set()
        self._groups: dict[ResourceSelection, ResourceGroup] = {}
        self._shared: WeakValueDictionary[tuple[str, str], Resource] = WeakValueDictionary()
        self._wake = asyncio.Event()
        self._generation, self._reached = self._store.generation, self._store.revision
        self.record_changes = 0
        """Counts commits that changed a record, such as a zone."""
        self.large = asyncio.Semaphore(_MOST_LARGE)
        """Turns for large responses, each of which is in memory until its client answers."""
        self._store.follow_records(self._note_records)
        self._store.follow_commits(self._wake.set)

    def join(self, member: Member) -> Callable[[], None]:
        """Add a node; returns what removes it."""
        self._members.add(member)
        self._wake.set()

        def leave() -> None:
            self._members.discard(member)
            self._wake.set()

        return leave

    def _note_records(self, changes: object) -> None:
        self.record_changes += 1

    async def run(self) -> None:
        """Follow the store until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_WAIT):
                    await self._wake.wait()
            self._wake.clear()
            await self._update(await self._changed_zones())

    async def _update(self, zones: Collection[str] | None) -> None:
        wanted: dict[ResourceSelection, list[Member]] = {}
        for member in self._members:
            selection = member.selection
            if selection is not None:
                wanted.setdefault(selection, []).append(member)
        before = self._groups
        self._groups = {each: before.get(each) or self._new(each, before) for each in wanted}
        round_ = Round({}, {})
        for selection, group in self._groups.items():
            await group.update(zones, round_)
            for member in wanted[selection]:
                # A rollout may hold the node since; then this revision is not for it.
                if member.selection == selection:
                    member.use(group)

    def _new(
        self, selection: ResourceSelection, before: dict[ResourceSelection, ResourceGroup]
    ) -> ResourceGroup:
        """A new group, which takes over from one that differs in its zones only."""
        colo, _, upstreams, at = selection
        alike = (g for (c, _, u, a), g in before.items() if (c, u, a) == (colo, upstreams, at))
        return ResourceGroup(selection, self._sources, self._shared, next(alike, None))

    async def _changed_zones(self) -> set[str] | None:
        """The zones of all changes since the last call; None for all zones."""
        since, reached = self._reached, self._store.revision
        self._reached = reached
        if self._store.generation != self._generation:
            self._generation = self._store.generation
            self._groups = {}  # those of earlier revisions, too
            return None
        if not 0 <= reached - since <= _MOST_CHANGES:
            return None
        zones: set[str] = set()
        while since < reached:
            changes = await self._store.changes(since, _PORTION)
            if not changes or changes[0].revision != since + 1:
                return None
            for change in changes:
                what = change.what
                if not isinstance(what, RecordChange):
                    zones.add(change.zone_id)
                elif what.key.kind is Kind.ZONE:
                    zones.add(what.key.id)
            since = changes[-1].revision
        return zones
