"""Reports of commands: how live mappings differ from a file, and which ranges vendors publish."""

from collections.abc import Sequence
from dataclasses import replace

from originmap.domain.errors import InvalidQuery
from originmap.domain.history.change import Cause
from originmap.domain.history.record import Key, Kind, RecordChange, RecordDecision, RecordsView
from originmap.domain.history.report import MAX_SUBJECTS, RecordedReport, Subject
from originmap.store.clock import Now
from originmap.store.port import Store

KINDS = (Kind.DRIFT, Kind.RANGES)


class Reports:
    """Keeps the last report of each kind as a record, so that it is in the feed."""

    def __init__(self, store: Store, now: Now) -> None:
        """`now` is in microseconds since 1970 UTC."""
        self._store = store
        self._now = now
        self._reports: dict[Key, RecordedReport] = {}
        store.follow_records(self._apply)

    def all(self) -> list[RecordedReport]:
        """Return the last report of each kind, by kind."""
        return [self._reports[key] for key in sorted(self._reports, key=lambda key: key.id)]

    async def record(self, kind: str, subjects: Sequence[Subject], cause: Cause) -> RecordedReport:
        """Record a report and return the last one, which is an older one if it says the same.
        Raises InvalidQuery."""
        if len(subjects) > MAX_SUBJECTS or len({s.name for s in subjects}) < len(subjects):
            raise InvalidQuery(f"subjects: up to {MAX_SUBJECTS} with different names")
        ordered = tuple(sorted(subjects, key=lambda subject: subject.name))
        report = RecordedReport(kind, ordered, self._now())
        key = Key(Kind(kind), kind)

        def decide(records: RecordsView) -> RecordDecision[RecordedReport]:
            before = records.get(key)
            if isinstance(before, RecordedReport) and report == replace(
                before, reported_on=report.reported_on
            ):
                return RecordDecision((), before)
            return RecordDecision((RecordChange(key, before, report),), report)

        return (await self._store.write_records(decide, cause)).outcome

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            if isinstance(change.after, RecordedReport):
                self._reports[change.key] = change.after
            elif change.key.kind in KINDS:
                self._reports.pop(change.key, None)
