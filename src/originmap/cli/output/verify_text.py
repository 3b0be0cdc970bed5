"""The report of a verification as text."""

from collections.abc import Iterator
from typing import Any

import msgspec

from originmap.verify.check import DIFFERENT, NOT_TRIED
from originmap.verify.report import Verified, VerifyReport

_LONGEST = 400


def report_text(report: VerifyReport) -> Iterator[str]:
    """The report, line by line."""
    for fact in report.facts:
        yield from _lines(fact)
    if report.unknown:
        yield ""
        yield "Open questions: whether the server answers them as Originmap does"
        for row in report.unknown:
            yield from _lines(row)
    counts = report.counts
    yield ""
    yield (
        f"{sum(counts.values())} facts: "
        + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        + f"; {report.requests:,} requests"
    )


def _lines(row: Verified) -> Iterator[str]:
    ours = f" ({', '.join(row.ours)})" if row.ours else ""
    yield f"{row.verdict:<9}  {row.id:<9}  {row.text}{ours}"
    if row.verdict == DIFFERENT:
        for outcome in row.outcomes:
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
