"""The state of an apply on disk: the plans that were begun and are not proved done.

A plan's file appears before the first write and goes after the last look. It says that what is
live may be half of the plan's work; how far it got is seen in what is live, which knows better.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from originmap.atomic_file import replace_file
from originmap.planning.errors import StateUnwritable, UnusablePlan
from originmap.planning.plan_json import Planned, load


class Journal:
    """A folder with a file for each plan that was begun, named by its digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where a plan is kept while it is carried out; it is a saved plan like any other."""
        return self._folder / f"{digest}.plan.json"

    def begun(self, digest: str) -> bool:
        """Whether this plan was begun and not finished."""
        try:
            return self.path(digest).exists()
        except OSError:  # a folder that this user may not look into, so it begun nothing
            return False

    def begin(self, digest: str, saved: Iterable[bytes]) -> None:
        """Keep a plan before its first write: whole, and on the disk. Raises
        StateUnwritable."""
        path = self.path(digest)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, saved)
        except OSError as error:
            raise StateUnwritable(str(self._folder), error.strerror or str(error)) from error

    def left_behind(self, planned: Planned) -> Iterator[str]:
        """The digests of plans that were begun for the same API and no other zones than this
        one: once it is done, nothing is left of them to do."""
        zones = {zone.id for zone in planned.plan.zones}
        for path in sorted(self._folder.glob("*.plan.json")):
            try:
                other = load(path)
            except UnusablePlan:
                continue
            if other.api == planned.api and zones.issuperset(z.id for z in other.plan.zones):
                yield other.plan.digest

    def finish(self, digest: str) -> None:
        """Forget a plan that was proved done. Raises StateUnwritable."""
        if not self.begun(digest):
            return
        try:
            self.path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StateUnwritable(str(self._folder), error.strerror or str(error)) from error
