"""Why a plan is not made, or not carried out.

PlanError
├── Objected        a guard speaks against it; carries all `objections`
├── Outdated        a saved plan, and what is live is no longer what it was made of
├── UnusablePlan    a file that is no saved plan, or one that was edited
├── StateUnwritable the folder that keeps plans while they are carried out cannot be written
└── Incomplete      carried out, and not everything is as it shall be; carries `failures`
"""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.errors import OriginmapError
from originmap.domain.plan.guard import Objection


class Failure(NamedTuple):
    """A mapping that is not as it shall be, and why."""

    zone: str
    origin_ip: str
    reason: str


class PlanError(OriginmapError):
    """A plan is not made, or not carried out."""


class Objected(PlanError):
    """A guard speaks against the plan; nothing was written."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__("\n".join(["nothing was written", *(each.text for each in objections)]))
        self.objections = objections
        self.hint = "\n  ".join(dict.fromkeys(each.hint for each in objections))


class Outdated(PlanError):
    """What is live is no longer what the plan was made of."""

    def __init__(self, zones: Sequence[str]) -> None:
        super().__init__(f"the plan is outdated, nothing was written: {', '.join(zones)} changed")
        self.zones = zones
        self.hint = "make a new plan, and look at it"


class UnusablePlan(PlanError):
    """Not a saved plan, or one that is not as it was saved."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.hint = "originmap plan --out FILE saves a plan"


class StateUnwritable(PlanError):
    """The folder that keeps plans while they are carried out cannot be written; nothing was
    written to the zones."""

    def __init__(self, folder: str, reason: str) -> None:
        where = f" {folder}" if folder else ""
        super().__init__(f"the state folder{where} cannot be written: {reason}")
        self.hint = "set XDG_STATE_HOME to a folder that this user may write; no zone was changed"


class Incomplete(PlanError):
    """Not everything is as it shall be."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        lines = [f"{each.zone}: {each.origin_ip}: {each.reason}" for each in failures]
        count = f"{len(lines):,} mapping{'s' * (len(lines) != 1)}"
        super().__init__("\n".join([f"{count} not as planned", *lines]))
        self.failures = failures
        self.hint = "when the reason is gone, run the same command again: it does what is left"
