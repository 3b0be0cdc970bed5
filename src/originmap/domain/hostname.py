"""The syntax of host names. Resolving them is left to the callers."""

import re

# The last label is not a number: getaddrinfo reads 0x7f.1 as an address (RFC 3696 §2).
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9-]{0,62}\.?\Z")


def is_hostname(text: str) -> bool:
    """Whether `text` has the syntax of a host name."""
    return _HOST.match(text) is not None
