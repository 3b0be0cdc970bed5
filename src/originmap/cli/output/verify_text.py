"""The report of a verification as text."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from originmap.verify.check import DIFFERENT, NOT_TRIED, SAME, CheckOutcome
from originmap.verify.report import Verified, VerifyReport

_LONGEST = 400
_COMPARED_WITH = {SAME: "same as", DIFFERENT: "different from", NOT_TRIED: "not tried:"}


def report_text(report: VerifyReport) -> Iterator[str]:
    """The report, line by line."""
    for fact in report.facts:
        yield from _lines(fact, fact.outcomes)
    seen = {outcome for fact in report.facts for outcome in fact.outcomes}
    if report.unknown:
        yield ""
        yield "Open questions: whether the server answers them as Originmap does"
        for row in report.unknown:
            yield from _lines(row, [each for each in row.outcomes if each not in seen])
    counts = report.counts
    total = sum(counts.values())
    yield ""
    yield (
        f"{total} fact{'s' * (total != 1)}: "
        + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        + f"; {report.requests:,} requests"
    )


def _lines(row: Verified, outcomes: Iterable[CheckOutcome]) -> Iterator[str]:
    """A fact, and the differences that these checks found."""
    yield f"{row.verdict:<9}  {row.id:<9}  {row.text}"
    for ours in row.ours:
        yield f"    {_COMPARED_WITH[ours.verdict]} {ours.id}: {ours.text}"
    for outcome in outcomes:
        for compared in outcome.compared:
            if not compared.same:
                yield f"    {compared.request}"
                yield f"      expected  {_short(compared.expected)}"
                yield f"      answered  {_short(compared.answered)}"
    if row.reason:
        partly = "" if row.verdict == NOT_TRIED else "partly not tried: "
        yield f"    {partly}{row.reason}"


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() >= {"status", "body"}:
        rest = {name: value[name] for name in ("headers", "body") if name in value}
        shown = rest["body"] if len(rest) == 1 else rest
        return _cut(f"{value['status']} {_json(shown)}")
    return _cut(_json(value))


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cut(text: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."
