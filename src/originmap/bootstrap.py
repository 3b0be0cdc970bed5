"""Opens a store and builds the services that every command on a database needs.

The HTTP server is built in `bootstrap_server`.
"""

import contextlib
import datetime
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from originmap import data, databases
from originmap.detect.errors import NoRanges, NoRangesFolder
from originmap.domain.detection.ranges import RangeTable
from originmap.domain.mapping.catalogue import Catalogue, CatalogueSource
from originmap.domain.tier.tier import Tiers
from originmap.service import initial_data
from originmap.service.access.directory import Directory
from originmap.service.detection.detector import Detector
from originmap.service.export.exports import Exports
from originmap.service.feed.feed import Feed
from originmap.service.feed.followers import Followers
from originmap.service.feed.replication import Replication
from originmap.service.feed.snapshots import Snapshots
from originmap.service.history.past_zones import PastZones
from originmap.service.hook.book import HookBook
from originmap.service.hook.message import NewSender
from originmap.service.mapping.catalogues import Catalogues
from originmap.service.mapping.regions import SupportedRegion, supported
from originmap.service.rollout.rollouts import Rollouts
from originmap.service.tier.topology import Topologies
from originmap.service.vitals import StreamCounts
from originmap.settings import outbound_environment
from originmap.store.clock import Now, wall_clock
from originmap.store.port import ReadFrom, Store

if TYPE_CHECKING:
    from originmap.detect.files import RangeFiles

MEMORY = databases.MEMORY
Prepare = Callable[[Store, Directory, Callable[[], int], str], Awaitable[None]]


class Opened(NamedTuple):
    """An open, prepared store with its in-memory state and services."""

    store: Store
    directory: Directory
    catalogues: Catalogues
    topologies: Topologies
    detector: Detector
    zones: PastZones
    feed: Feed
    followers: Followers
    rollouts: Rollouts
    exports: Exports
    hooks: HookBook
    stream_counts: StreamCounts
    replication: Replication | None = None


@contextlib.asynccontextmanager
async def open_store(
    db: str,
    prepare: Prepare = initial_data.prepare_to_serve,
    replication: Replication | None = None,
    read_from: ReadFrom | None = None,
    *,
    serves: bool = True,
    now: Now = wall_clock,
) -> AsyncIterator[Opened]:
    """Open the store that `db` names; close it on exit. A standby may serve the reads of a
    PostgreSQL database that is not a replica's. Raises StoreError."""
    if replication:
        opening = databases.opened_replica(db, serves=serves)
    else:
        opening = databases.opened(db, serves=serves, now=now, read_from=read_from)
    async with opening as store:
        directory = Directory()
        store.follow_records(directory.apply)
        await prepare(store, directory, now, databases.shown(db))
        catalogues = Catalogues(store, directory, data.catalogue())
        topologies = Topologies(store, catalogues.current, data.topology(), now)
        detector = Detector(catalogues.current, RangeTable())
        zones = PastZones(store, directory)
        snapshots = Snapshots(store, topologies.turns)
        feed = Feed(store, zones, snapshots, topologies.turns)
        followers = Followers(store, now)
        rollouts = Rollouts(store, followers, topologies, now)
        state = (directory, catalogues, topologies, detector, zones)
        exports = Exports(store, topologies, catalogues, snapshots)
        rest = (rollouts, exports, HookBook(store), StreamCounts(), replication)
        yield Opened(store, *state, feed, followers, *rest)


def hook_senders(*, private: bool) -> NewSender:
    """A function that makes senders of webhooks; with `private`, also to private addresses. The
    first one imports an HTTP client, which other servers do not need."""

    @functools.cache
    def of_process() -> NewSender:
        from originmap.outbound.hook_sender import new_senders

        return new_senders(outbound_environment(), private=private)

    return lambda: of_process()()


def packaged_catalogue() -> Catalogue:
    """The packaged catalogue."""
    return data.catalogue()


def packaged_regions() -> tuple[SupportedRegion, ...]:
    """The regions of the packaged catalogue, resolved against the packaged topology."""
    catalogue = data.catalogue()
    return supported(catalogue, Tiers(catalogue, data.topology(), {}))


def range_files(folder: str) -> "RangeFiles":
    """The vendors' published ranges stored in a folder. Raises NoRangesFolder if `folder` is "",
    the default of a user without a home folder."""
    from originmap.detect.files import RangeFiles  # a server without ranges does not load it

    if not folder:
        raise NoRangesFolder
    return RangeFiles(Path(folder), lambda: datetime.datetime.now(datetime.UTC))


def detector(
    files: "RangeFiles",
    catalogue: CatalogueSource = data.catalogue,
    on_installed: Callable[[datetime.datetime, datetime.datetime], None] | None = None,
) -> Detector:
    """Detection with the current ranges and these regions. If no ranges are stored, those that pip
    installed are used; `on_installed` is called with their date and the current time. Raises
    RangesError, also if there are no ranges at all."""
    from originmap.detect import installed

    table = files.table()
    if not table.vendors:
        found = installed.publications()
        if not found:
            raise NoRanges(str(files.folder))
        table = RangeTable(found)
        if on_installed is not None:
            on_installed(min(each.published for each in found), files.now())
    return Detector(catalogue, table)
