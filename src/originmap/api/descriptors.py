"""File descriptors: each connection needs one, and the number per process is limited."""

import contextlib
import logging

try:
    import resource
except ImportError:  # Windows, without such a limit
    resource = None  # type: ignore[assignment]

_LOG = logging.getLogger(__name__)

RESERVED = 512
"""Descriptors reserved for the database, open files and outbound connections."""


def connections_within(wanted: int) -> int:
    """The number of connections to accept, at most `wanted`. Increases the soft limit of the
    process up to the hard limit, and logs a warning if that is not enough."""
    if resource is None:
        return wanted
    needed = wanted + RESERVED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not _suffices(soft, needed):
        soft = needed if _suffices(hard, needed) else hard
        with contextlib.suppress(OSError, ValueError):  # some sandboxes forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _suffices(soft, needed):
        return wanted
    taken = max(soft - RESERVED, soft // 2)
    hint = f"raise it to {needed}: ulimit -Hn {needed}, or LimitNOFILE={needed} in the unit"
    _LOG.warning(
        "few file descriptors",
        extra={"data": {"limit": soft, "needed": needed, "connections": taken, "hint": hint}},
    )
    return taken


def _suffices(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
