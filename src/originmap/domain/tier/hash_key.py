"""The hash key of a URL: the text by which a cache of a colo is assigned to it."""

import re
from collections.abc import Collection

from originmap.domain.errors import InvalidQuery
from originmap.domain.tier.topology import HashPart

LONGEST_URL = 8_192
_URL = re.compile(
    r"(?:https?://)?(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?P<path>/[!-\"$->@-~]*)?(?P<query>\?[!-\"$-~]*)?"
)


def hash_key(url: str, parts: Collection[HashPart]) -> bytes:
    """The key of a URL such as https://www.example.com/a?b=c, as caches see it: the host in lower
    case and without port, path and query as they are sent. Raises InvalidQuery."""
    match = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if match is None:
        raise InvalidQuery(
            f"url must be a URL of at most {LONGEST_URL} characters without fragment, such as"
            " https://www.example.com/a?b=c"
        )
    query = match["query"] or ""
    key = match["host"].lower() if HashPart.HOST in parts else ""
    if HashPart.PATH in parts:
        key += match["path"] or "/"
    else:
        query = query[1:]
    return (key + query * (HashPart.QUERY in parts)).encode()
