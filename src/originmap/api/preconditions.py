"""ETag and If-Match of a mapping (RFC 9110 §8.8.3, §13.1.1): the tag is its revision.

Cloudflare publishes neither. Clients that do not send If-Match are not affected.
"""

import re

from originmap.api.http.request import Request
from originmap.domain.mapping.mapping import IfMatch, Mapping

_TAG = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,15})"')  # as formatted by `etag`: "05" is another tag


def etag(mapping: Mapping) -> str:
    """The ETag of a mapping."""
    return f'"{mapping.revision}"'


def if_match(request: Request) -> IfMatch | None:
    """The precondition of the request; None without If-Match. Foreign tags match no mapping."""
    header = request.header(b"if-match")
    if header is None:
        return None
    if header.strip() == "*":
        return IfMatch(None)
    return IfMatch(frozenset(int(tag) for tag in _TAG.findall(header)))
