"""What becomes of an exception: the answer, and what the operator is told of it."""

import logging

from originmap.api import errors
from originmap.api.request import RequestInfo
from originmap.domain.errors import OriginmapError, StoreError, ZoneNotFound

_LOG = logging.getLogger(__name__)


def refused(
    error: Exception, path: str, info: RequestInfo, overrides: errors.Overrides | None = None
) -> errors.Refusal:
    """The answer to a request for `path` that ended with `error`. Of a bug users see "internal
    error" and the operator its cause."""
    if not isinstance(error, OriginmapError):
        _LOG.error("internal error", exc_info=error, extra={"data": {"ray": info.ray}})
        return errors.INTERNAL
    if isinstance(error, StoreError):
        _LOG.error("store", extra={"data": {"ray": info.ray, "why": str(error)}})
    if isinstance(error, ZoneNotFound) and overrides is not errors.CORE:
        return errors.no_route(path)
    return errors.render(error, overrides)
