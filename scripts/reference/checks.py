"""The checks of `originmap verify`, and the facts without a check."""

from collections import defaultdict

from originmap.verify.registry import CHECKS, UNTRIED
from scripts.reference.markdown import table


def check_table() -> str:
    """Every check with its facts."""
    rows = [(", ".join(check.facts), check.description) for check in CHECKS]
    return table(("facts", "check"), rows)


def untried_table() -> str:
    """The facts without a check, by reason."""
    by_reason = defaultdict(list)
    for fact, reason in UNTRIED.items():
        by_reason[reason].append(fact)
    return table(("not tried because", "facts"), [(r, ", ".join(f)) for r, f in by_reason.items()])
