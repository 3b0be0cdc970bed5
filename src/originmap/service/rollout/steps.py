"""Requests to a rollout: one type per step, as JSON with the member `step`.

For example:

    {"step": "start", "stages": "SIN,1%,10%,100%"}
"""

from typing import Annotated

import msgspec

from originmap.domain.history.change import LAST_REVISION

MOST_WHY = 500
"""Maximum length of the reason of a step."""

_Revision = Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=LAST_REVISION)]
_Why = Annotated[str, msgspec.Meta(max_length=MOST_WHY)]


class _Request(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag=str.lower,
    tag_field="step",
    forbid_unknown_fields=True,
):
    """`number` is the rollout meant: the step is rejected if it is not the last one."""

    number: _Number | None = None


class Hold(_Request, frozen=True):
    """Hold every node at revision `base`, by default the newest."""

    base: _Revision | None = None


class Start(_Request, frozen=True):
    """Release to the first stage what has changed since the nodes are held, or since revision
    `base`."""

    stages: Annotated[str, msgspec.Meta(max_length=2_000)]
    base: _Revision | None = None


class Advance(_Request, frozen=True):
    """Release to the next stage; rejected if `stage`, counted from 1, is set and is not the next
    one."""

    stage: _Number | None = None


class Pause(_Request, frozen=True):
    """Hold every node at its current revision."""

    why: _Why = ""


class Resume(_Request, frozen=True):
    """Continue after a pause or a halt."""


class Halt(_Request, frozen=True):
    """Return every node to `base` of the rollout, because a stage is unhealthy."""

    why: _Why


class Abort(_Request, frozen=True):
    """Return every node to `base` of the rollout and end it."""

    why: _Why = ""


class Kill(_Request, frozen=True):
    """Return every node to revision `base`, by default that of the last rollout, from any state."""

    base: _Revision | None = None
    why: _Why = ""


class Finish(_Request, frozen=True):
    """Let every node follow the newest revision from now on; rejected if `revision` is set and is
    not the newest."""

    revision: _Revision | None = None


RolloutRequest = Hold | Start | Advance | Pause | Resume | Halt | Abort | Kill | Finish
