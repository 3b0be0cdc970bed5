"""The checks of `originmap verify`, and what it does not try."""

from collections import defaultdict

from originmap.verify.registry import CHECKS, UNTRIED
from scripts.reference.markdown import table


def check_table() -> str:
    """Every check with the facts that it tries."""
    rows = [(", ".join(check.facts), check.description) for check in CHECKS]
    return table(("facts", "check"), rows)


def untried_table() -> str:
    """The facts that no check tries, by the reason."""
    by_reason = defaultdict(list)
    for fact, reason in UNTRIED.items():
        by_reason[reason].append(fact)
    return table(("not tried because", "facts"), [(r, ", ".join(f)) for r, f in by_reason.items()])
