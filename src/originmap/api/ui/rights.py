"""What a visitor's token may do, to show only the buttons that work. The API checks again."""

from collections.abc import Callable

from originmap.api.guard import Guard
from originmap.domain.access.permissions import WRITE_MAPPINGS, WRITE_USER_TOKENS
from originmap.domain.errors import OriginmapError
from originmap.service.access.directory import Caller


class VisitorRights:
    """The rights of a caller. Those that every page asks for are looked up at once, because pages
    are rendered on threads."""

    def __init__(self, guard: Guard, caller: Caller) -> None:
        self._access = guard.access
        self._caller = caller
        self.operates = _holds(lambda: self._access.operator(caller))
        """Whether the caller may change what all accounts share: topology, rollout."""
        self.makes_tokens = self.operates and _holds(
            lambda: self._access.user(caller, WRITE_USER_TOKENS)
        )
        """Whether the caller may list, create and revoke tokens."""

    def writes(self, zone_id: str) -> bool:
        """Whether the caller may change the mappings of a zone."""
        return _holds(lambda: self._access.zone(self._caller, WRITE_MAPPINGS, zone_id))


def _holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except OriginmapError:
        return False
    return True
