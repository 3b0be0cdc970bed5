"""A check and its outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from originmap.client.errors import Unreachable
from originmap.verify.trial import Compared, NotTried, Trial
from originmap.verify.zone_under_test import ZoneUnderTest

SAME, DIFFERENT, NOT_TRIED = "same", "different", "not tried"


class Check(NamedTuple):
    """A function that tries facts, and the IDs of the facts."""

    function: Callable[[Trial], None]
    facts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """What it does, in one line."""
        return " ".join((self.function.__doc__ or "").split())


@dataclass(frozen=True, eq=False)
class CheckOutcome:
    """What became of a check. `reason` says why it was not tried, or not to its end."""

    check: Check
    compared: tuple[Compared, ...]
    reason: str = ""

    @property
    def verdict(self) -> str:
        """SAME, DIFFERENT or NOT_TRIED."""
        if any(not each.same for each in self.compared):
            return DIFFERENT
        return SAME if self.compared and not self.reason else NOT_TRIED


def check(function: Callable[[Trial], None], *facts: str) -> Check:
    """A check of these facts."""
    return Check(function, facts)


def try_check(check: Check, zone: ZoneUnderTest) -> CheckOutcome:
    """Run a check, and delete what it created. A request without an answer is a difference, if the
    server answers afterwards. Raises ClientError, Throttled."""
    trial, reason = Trial(zone), ""
    try:
        check.function(trial)
    except NotTried as skipped:
        reason = str(skipped)
    except Unreachable:
        zone.read()
        trial.note_no_answer()
    zone.delete_written()
    return CheckOutcome(check, tuple(trial.compared), reason)
