"""File descriptors: each connection takes one, and a process may have only so many."""

import contextlib
import logging
import resource

_LOG = logging.getLogger(__name__)

RESERVED = 512
"""Descriptors for what is no connection: the database, files that are read, other servers."""


def connections_within(wanted: int) -> int:
    """How many connections to take, at most `wanted`. Raises the soft limit of the process as far
    as the hard one lets it, and warns if that is not enough for all of them."""
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
