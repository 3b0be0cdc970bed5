"""Permissions of files by their mode, on systems that have modes.

On Windows a mode only says whether a file is read-only. Access there is by lists, which a file
inherits from its folder; those of a user's own folders exclude other users.
"""

import os


def others_may_access(mode: int) -> bool:
    """Whether a mode (`st_mode`) gives a permission to the group or to other users. False on a
    system without modes."""
    return hasattr(os, "geteuid") and bool(mode & 0o077)


def set_mode(descriptor: int, mode: int) -> None:
    """Set the mode of an open file. Without effect on a system without modes."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
