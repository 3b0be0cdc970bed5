"""What a host name looks like; whether it leads anywhere is not known here."""

import re

# A name's last label is no number: getaddrinfo takes 0x7f.1 for an address (RFC 3696 §2).
_HOST = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z][A-Za-z0-9-]{0,62}\.?\Z")


def is_hostname(text: str) -> bool:
    """Whether `text` can be the name of a host."""
    return _HOST.match(text) is not None
