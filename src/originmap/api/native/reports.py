"""Reports of commands: /originmap/v1/reports."""

from typing import Annotated, Literal

import msgspec

from originmap.api import envelope
from originmap.api.http.request import Request
from originmap.api.http.response import Response
from originmap.api.native.arguments import arguments, read_as
from originmap.api.timestamps import timestamp
from originmap.domain.history.change import LAST_REVISION
from originmap.domain.history.report import MAX_SUBJECTS, RecordedReport, Subject
from originmap.service.history.reports import Reports

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Subject(msgspec.Struct, forbid_unknown_fields=True):
    name: _Text
    count: Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
    detail: Annotated[str, msgspec.Meta(max_length=255)] = ""


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["drift", "ranges"]
    subjects: Annotated[list[_Subject], msgspec.Meta(max_length=MAX_SUBJECTS)]


_REQUEST = msgspec.json.Decoder(_Request)


class ReportList:
    """GET, POST /originmap/v1/reports"""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def list_reports(self, request: Request) -> Response:
        """The last report of each kind."""
        arguments(request, ())
        return Response(envelope.success([_json(report) for report in self._reports.all()]))

    async def record_report(self, request: Request) -> Response:
        """Record a report; the same as the last one changes nothing."""
        body = read_as(request, _REQUEST)
        subjects = [Subject(s.name, s.count, s.detail) for s in body.subjects]
        report = await self._reports.record(body.kind, subjects, request.cause())
        return Response(envelope.success(_json(report)))


def _json(report: RecordedReport) -> dict[str, object]:
    members: dict[str, object] = msgspec.to_builtins(report)
    return members | {"reported_on": timestamp(report.reported_on)}
