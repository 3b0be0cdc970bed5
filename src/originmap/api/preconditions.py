"""ETag and If-Match of a mapping (RFC 9110 §8.8.3, §13.1.1): the tag is its revision.

Cloudflare publishes neither; who sends no If-Match sees no difference.
"""

import re

from originmap.api.http.request import Request
from originmap.domain.mapping.mapping import IfMatch, Mapping

_TAG = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,15})"')  # as `etag` writes it: "05" is another tag


def etag(mapping: Mapping) -> str:
    """The tag of a mapping."""
    return f'"{mapping.revision}"'


def if_match(request: Request) -> IfMatch | None:
    """What the caller saw last, None where it does not say. Tags that are not ours match no
    mapping."""
    header = request.header(b"if-match")
    if header is None:
        return None
    if header.strip() == "*":
        return IfMatch(None)
    return IfMatch(frozenset(int(tag) for tag in _TAG.findall(header)))
