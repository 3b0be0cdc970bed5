"""The problems of one input, which are reported together: as many as a person reads at once.

A caller that sends thousands of wrong values must not get an answer that is larger than its
request.
"""

from collections.abc import Iterable
from itertools import islice

MOST_PROBLEMS = 100
_LONGEST = 500


def first_problems(problems: Iterable[str]) -> list[str]:
    """The first 100 problems, each cut after 500 characters. Does not look for further ones."""
    return [problem[:_LONGEST] for problem in islice(problems, MOST_PROBLEMS)]
