"""Errors of webhooks: a branch of the tree in `domain.errors`.

HookError                       a webhook is refused
├── InvalidHook                 its name, URL, kinds or secret are invalid; the text says why
├── HookNotFound
└── HookExists
"""

from originmap.domain.errors import OriginmapError


class HookError(OriginmapError):
    """The webhook cannot be created or changed as requested."""

    page = "webhooks.md"


class InvalidHook(HookError):
    """The webhook cannot be created as requested. The text says why."""


class HookNotFound(HookError):
    """No webhook has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no hook {name}")
        self.name, self.hint = name, "run originmap hook list to see all hooks"


class HookExists(HookError):
    """A webhook of this name exists."""

    hint = "remove it first, or use another name"

    def __init__(self, name: str) -> None:
        super().__init__(f"the hook {name} exists already")
        self.name = name
