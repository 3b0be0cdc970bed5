"""From the outcomes of checks to a verdict for each fact, and the report as JSON."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from originmap import __version__
from originmap.conformance.fact import Unknown
from originmap.conformance.facts import Facts
from originmap.verify.check import DIFFERENT, NOT_TRIED, SAME, Check, CheckOutcome
from originmap.verify.registry import CHECKS, UNTRIED

FORMAT = 1
CLOUDFLARE = "api.cloudflare.com"


@dataclass(frozen=True)
class Verified:
    """A fact with its verdict. `text` is the fact, `reason` says why it was not tried."""

    id: str
    text: str
    verdict: str
    outcomes: tuple[CheckOutcome, ...] = ()
    reason: str = ""
    ours: tuple["Verified", ...] = ()
    """Of an open question: our decisions about it."""


@dataclass(frozen=True)
class VerifyReport:
    """All facts that were asked for. `changed` are mappings of others that changed meanwhile."""

    facts: tuple[Verified, ...]
    unknown: tuple[Verified, ...]
    requests: int
    changed: int

    @property
    def counts(self) -> dict[str, int]:
        """The number of facts by verdict; open questions are not counted again."""
        found = Counter(fact.verdict for fact in self.facts)
        return {verdict: found[verdict] for verdict in (SAME, DIFFERENT, NOT_TRIED)}

    @property
    def all_same(self) -> bool:
        """Whether nothing was different, and no mapping of others changed."""
        rows = (*self.facts, *self.unknown)
        return not self.changed and all(row.verdict != DIFFERENT for row in rows)


def known_ids(facts: Facts) -> list[str]:
    """The IDs of all facts, decisions and open questions."""
    return [row.id for rows in facts for row in rows]


def checks_of(ids: Collection[str], facts: Facts) -> list[Check]:
    """The checks that try these facts; all without IDs."""
    wanted = _with_decisions(ids, facts)
    return [check for check in CHECKS if not ids or wanted.intersection(check.facts)]


def make_report(
    facts: Facts,
    ids: Collection[str],
    outcomes: Sequence[CheckOutcome],
    requests: int,
    changed: int,
) -> VerifyReport:
    """The verdicts on these facts, on all without IDs."""
    wanted = _with_decisions(ids, facts)
    texts = {row.id: row.fact for row in facts.published}
    texts |= {row.id: f"{row.question}: {row.choice}" for row in facts.decisions}
    rows = {
        id_: _verified(id_, text, outcomes)
        for id_, text in texts.items()
        if not ids or id_ in wanted
    }
    unknown = [
        _answered(row, rows, outcomes) for row in facts.unknown if not ids or row.id in wanted
    ]
    return VerifyReport(tuple(rows.values()), tuple(unknown), requests, changed)


def report_json(report: VerifyReport, host: str) -> dict[str, Any]:
    """The report as JSON; both answers of every comparison are in `checks`. `host` is the one of
    the server, which is named only if it is Cloudflare's."""
    outcomes = {
        outcome.check.name: outcome
        for row in (*report.facts, *report.unknown)
        for outcome in row.outcomes
    }
    return {
        "format": FORMAT,
        "originmap": __version__,
        "server": host if host == CLOUDFLARE else "another",
        "requests": report.requests,
        "counts": report.counts,
        "other_mappings_changed": report.changed,
        "facts": [_row_json(row) for row in report.facts],
        "unknown": [
            _row_json(row) | {"ours": [each.id for each in row.ours]} for row in report.unknown
        ],
        "checks": [_outcome_json(outcome) for outcome in outcomes.values()],
    }


def _with_decisions(ids: Collection[str], facts: Facts) -> set[str]:
    """These IDs, and our decisions about the open questions among them."""
    return set(ids) | {each for row in facts.unknown if row.id in ids for each in row.ours}


def _verified(id_: str, text: str, outcomes: Iterable[CheckOutcome]) -> Verified:
    tried = tuple(each for each in outcomes if id_ in each.check.facts)
    reasons = dict.fromkeys(each.reason for each in tried if each.reason)
    reason = "; ".join(reasons) or UNTRIED.get(id_, "")
    return Verified(id_, text, _verdict([each.verdict for each in tried]), tried, reason)


def _answered(
    row: Unknown, facts: dict[str, Verified], outcomes: Iterable[CheckOutcome]
) -> Verified:
    """An open question, by our decisions about it."""
    own = _verified(row.id, row.question, outcomes)
    decided = tuple(facts[id_] for id_ in row.ours)
    tried = dict.fromkeys((*own.outcomes, *(each for fact in decided for each in fact.outcomes)))
    verdict = _verdict([each.verdict for each in tried])
    reasons = dict.fromkeys(filter(None, (own.reason, *(fact.reason for fact in decided))))
    return Verified(row.id, row.question, verdict, tuple(tried), "; ".join(reasons), decided)


def _verdict(verdicts: Collection[str]) -> str:
    """DIFFERENT if a check is, else SAME if a check is."""
    return next((each for each in (DIFFERENT, SAME) if each in verdicts), NOT_TRIED)


def _row_json(row: Verified) -> dict[str, Any]:
    names = [outcome.check.name for outcome in row.outcomes]
    found = {"id": row.id, "text": row.text, "verdict": row.verdict, "checks": names}
    return found | ({"reason": row.reason} if row.reason else {})


def _outcome_json(outcome: CheckOutcome) -> dict[str, Any]:
    compared = [
        {
            "request": each.request,
            "same": each.same,
            "expected": each.expected,
            "answered": each.answered,
        }
        for each in outcome.compared
    ]
    found = {
        "name": outcome.check.name,
        "description": outcome.check.description,
        "verdict": outcome.verdict,
        "compared": compared,
    }
    return found | ({"reason": outcome.reason} if outcome.reason else {})
