"""Reports: what a command outside the server found, recorded so that followers and hooks learn it.

There is one record for each kind, `drift` and `ranges`; a report that says the same as the last one
changes nothing.
"""

from dataclasses import dataclass

MAX_SUBJECTS = 1_000


@dataclass(frozen=True, slots=True)
class Subject:
    """A zone with the number of its mappings that differ from the file; or a vendor with the number
    of its published prefixes and, as `detail`, the date of publication."""

    name: str
    count: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RecordedReport:
    """The last report of one kind. `reported_on` is in microseconds since 1970 UTC."""

    kind: str
    subjects: tuple[Subject, ...]
    reported_on: int

    @property
    def id(self) -> str:
        """The kind: there is one record of each."""
        return self.kind
