"""Errors of planning and applying.

PlanError
├── Objected        a guard rejects the plan; has all `objections`
├── Outdated        the live mappings have changed since the plan was saved
├── UnusablePlan    the file cannot be read, is not a saved plan, or was edited
├── StateUnwritable the folder for plans in progress cannot be written
└── Incomplete      the apply finished, but mappings differ from the plan; has `failures`
"""

from collections.abc import Sequence
from typing import NamedTuple

from originmap.domain.errors import OriginmapError
from originmap.domain.plan.guard import Objection

_SAVE = "save one with originmap plan --out FILE, or originmap drift --report FILE"


class Failure(NamedTuple):
    """A mapping that differs from the plan after an apply, and the reason."""

    zone: str
    origin_ip: str
    reason: str


class PlanError(OriginmapError):
    """A plan cannot be created or applied."""


class Objected(PlanError):
    """A guard rejects the plan; nothing was written."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__("\n".join(["nothing was written", *(each.text for each in objections)]))
        self.objections = objections
        self.hint = "\n  ".join(dict.fromkeys(each.hint for each in objections))


class Outdated(PlanError):
    """The live mappings have changed since the plan was saved."""

    def __init__(self, zones: Sequence[str]) -> None:
        super().__init__(f"the plan is outdated, nothing was written: {', '.join(zones)} changed")
        self.zones = zones
        self.hint = "create a new plan and review it"


class UnusablePlan(PlanError):
    """The file cannot be read, is not a saved plan, or was edited."""

    def __init__(self, file: str, reason: str, hint: str = _SAVE) -> None:
        super().__init__(f"{file}: {reason}")
        self.hint = hint


class StateUnwritable(PlanError):
    """The folder for plans in progress cannot be written; no zone was changed."""

    def __init__(self, folder: str, reason: str) -> None:
        name = f" {folder}" if folder else ""
        super().__init__(f"the state folder{name} cannot be written: {reason}")
        self.hint = "set XDG_STATE_HOME to a folder that this user can write; no zone was changed"


class Incomplete(PlanError):
    """The apply finished, but some mappings differ from the plan."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        lines = [f"{each.zone}: {each.origin_ip}: {each.reason}" for each in failures]
        count = f"{len(lines):,} mapping{'s' * (len(lines) != 1)}"
        super().__init__("\n".join([f"{count} not as planned", *lines]))
        self.failures = failures
        self.hint = "fix the reasons, then run the same command again: it applies the rest"
