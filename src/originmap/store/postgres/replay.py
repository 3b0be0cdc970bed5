"""What a standby has replayed, compared with what this process knows of the primary.

Revisions grow with commits, so a standby that has replayed a revision has everything up to it.
"""

import math
from collections import deque

from originmap.store.clock import Now

_APART = 100_000
"""Microseconds between two remembered sightings of the primary."""
_MOST_SIGHTINGS = 10_000
_MOST_ZONES = 10_000


class Replay:
    """The progress of a standby. Moments and `elapsed` are microseconds of a monotonic clock."""

    def __init__(self, elapsed: Now) -> None:
        self._elapsed = elapsed
        self._begin("")

    def _continue(self, epoch: str) -> None:
        if epoch != self._epoch:  # another database was loaded
            self._begin(epoch)

    def _begin(self, epoch: str) -> None:
        self._epoch = epoch
        self.revision = -1
        """The replayed revision, which never goes back: the next standby may be behind this one."""
        self._complete_at: int | None = None  # when the standby last had everything
        self._sightings: deque[tuple[int, int]] = deque()  # moment and revision, not replayed yet
        self._zones: dict[str, int] = {}  # revisions that reads of a zone need, not replayed yet
        self._every_zone = 0

    @property
    def known(self) -> bool:
        """Whether the standby has replayed the present database."""
        return self.revision >= 0

    @property
    def lag(self) -> float:
        """Seconds since the standby had everything that was committed; infinite if unknown."""
        if self._complete_at is None:
            return math.inf
        return max(self._elapsed() - self._complete_at, 0) / 1e6

    def primary_had(self, moment: int, epoch: str, revision: int) -> None:
        """Note the newest revision of the primary at `moment`."""
        self._continue(epoch)
        if revision == self.revision:
            self._complete_at = moment
        if revision <= self.revision:
            return  # if less: it was read before, or the primary has lost commits
        if not self._sightings or moment - self._sightings[-1][0] >= _APART:
            self._sightings.append((moment, revision))
            if len(self._sightings) > _MOST_SIGHTINGS:
                self._sightings.popleft()

    def reached(self, epoch: str, revision: int) -> None:
        """Note that the standby has replayed `revision`."""
        if epoch != self._epoch or revision <= self.revision:
            return
        self.revision = revision
        while self._sightings and self._sightings[0][1] <= revision:
            self._complete_at = self._sightings.popleft()[0]
        self._zones = {zone: needed for zone, needed in self._zones.items() if needed > revision}

    def require(self, epoch: str, zone_id: str, revision: int) -> None:
        """Note that reads of a zone need `revision` from now on."""
        self._continue(epoch)
        if revision <= self.revision:
            return
        if len(self._zones) >= _MOST_ZONES:
            self._every_zone = max(self._zones.values())
            self._zones.clear()
        self._zones[zone_id] = max(revision, self._zones.get(zone_id, 0))

    def needed(self, *zone_ids: str) -> int:
        """Return the revision that reads of these zones need."""
        needed = (self._zones.get(zone_id, 0) for zone_id in zone_ids)
        return max(self._every_zone, *needed, 0)
