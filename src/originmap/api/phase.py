"""Where a connection stands in the request that arrives on it."""

from enum import Enum


class Phase(Enum):
    """No byte of a request yet, in its head, or in its body."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"
