"""The syntax of host names.

A name can have underscores, which DNS allows and some origins use, and a final dot. Its last label
must not be a number: getaddrinfo takes 0x7f.1 for an address (RFC 3696 §2). Whether a name
resolves is not checked here.
"""

import re

_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9-]{0,62}\.?\Z")


def is_hostname(text: str) -> bool:
    """Whether `text` has the form of a host name."""
    return _HOST.match(text) is not None
