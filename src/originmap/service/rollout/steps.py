"""What can be asked of a rollout: one value for each step, as JSON with the member `step`.

{"step": "start", "waves": "SIN,1%,10%,100%"}
"""

from typing import Annotated

import msgspec

from originmap.domain.history.change import LAST_REVISION

MOST_WHY = 500
"""Characters that may be said of a step."""

_Revision = Annotated[int, msgspec.Meta(ge=0, le=LAST_REVISION)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=LAST_REVISION)]
_Why = Annotated[str, msgspec.Meta(max_length=MOST_WHY)]


class _Asked(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag=str.lower,
    tag_field="step",
    forbid_unknown_fields=True,
):
    """`number` says which rollout is meant: the step is refused where it is not the last one."""

    number: _Number | None = None


class Hold(_Asked, frozen=True):
    """Keep every node at revision `base`, the newest where none is given."""

    base: _Revision | None = None


class Start(_Asked, frozen=True):
    """Release what was changed since the nodes are held, or since revision `base`, to the first
    wave."""

    waves: Annotated[str, msgspec.Meta(max_length=2_000)]
    base: _Revision | None = None


class Advance(_Asked, frozen=True):
    """Release the next wave; refused unless it is `wave`, counted from 1, where that is given."""

    wave: _Number | None = None


class Pause(_Asked, frozen=True):
    """Leave every node where it is."""

    why: _Why = ""


class Resume(_Asked, frozen=True):
    """Go on after a pause or a halt."""


class Halt(_Asked, frozen=True):
    """Take every node back: a wave is not well."""

    why: _Why


class Abort(_Asked, frozen=True):
    """Take every node back, for good."""

    why: _Why = ""


class Kill(_Asked, frozen=True):
    """Take every node to revision `base`, that of the last rollout where none is given, from
    whatever state."""

    base: _Revision | None = None
    why: _Why = ""


class Finish(_Asked, frozen=True):
    """Let every node have the newest revision from now on; refused unless that is `revision`, where
    it is given."""

    revision: _Revision | None = None


RolloutRequest = Hold | Start | Advance | Pause | Resume | Halt | Abort | Kill | Finish
