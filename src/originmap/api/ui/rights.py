"""What a visitor's token may do, to show only the buttons that work. The API checks again."""

from collections.abc import Callable

from originmap.api.guard import Guard
from originmap.domain.access.permissions import WRITE_MAPPINGS, WRITE_USER_TOKENS
from originmap.domain.errors import OriginmapError
from originmap.service.access.directory import Caller


class VisitorRights:
    """The rights of a caller."""

    def __init__(self, guard: Guard, caller: Caller) -> None:
        self._access = guard.access
        self._caller = caller

    @property
    def operates(self) -> bool:
        """Whether the caller may change what all accounts share: topology, rollout."""
        return _holds(lambda: self._access.operator(self._caller))

    @property
    def makes_tokens(self) -> bool:
        """Whether the caller may list, create and revoke tokens."""
        return self.operates and _holds(lambda: self._access.user(self._caller, WRITE_USER_TOKENS))

    def writes(self, zone_id: str) -> bool:
        """Whether the caller may change the mappings of a zone."""
        return _holds(lambda: self._access.zone(self._caller, WRITE_MAPPINGS, zone_id))


def _holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except OriginmapError:
        return False
    return True
