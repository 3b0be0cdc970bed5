"""The hash key of a URL: the text by which a cache of a colo is assigned to it."""

import re
from collections.abc import Collection
from typing import NamedTuple

from originmap.domain.errors import InvalidQuery
from originmap.domain.tier.topology import HashPart

LONGEST_URL = 4_096
_URL = re.compile(
    r"(?:https?://)?(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?P<path>/[!-\"$->@-~]*)?(?P<query>\?[!-\"$-~]*)?"
)


def uri_parts(parts: Collection[HashPart]) -> tuple[HashPart, ...]:
    """The parts of the URI in a key: PATH, QUERY, both in this order, or none."""
    return tuple(part for part in (HashPart.PATH, HashPart.QUERY) if part in parts)


class HashKey(NamedTuple):
    """The parts of a key; either can be empty."""

    host: bytes
    rest: bytes

    @property
    def whole(self) -> bytes:
        """One part after the other."""
        return self.host + self.rest

    @property
    def parts(self) -> list[bytes]:
        """The parts that are not empty."""
        return [part for part in self if part]


def hash_key(url: str, parts: Collection[HashPart]) -> HashKey:
    """The key of a URL such as https://www.example.com/a?b=c, as caches see it: the host in lower
    case and without port, path and query as they are sent. Raises InvalidQuery."""
    match = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if match is None:
        raise InvalidQuery(
            f"url must be a URL of at most {LONGEST_URL} characters without fragment, such as"
            " https://www.example.com/a?b=c"
        )
    host = match["host"].lower() if HashPart.HOST in parts else ""
    path = (match["path"] or "/") if HashPart.PATH in parts else ""
    query = (match["query"] or "") if HashPart.QUERY in parts else ""
    return HashKey(host.encode(), (path + query if path else query[1:]).encode())
