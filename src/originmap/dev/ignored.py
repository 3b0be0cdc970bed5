"""What a request sends that the API ignores: query arguments and members of its body."""

from typing import NamedTuple
from urllib.parse import parse_qsl

from originmap.dev.body_items import items_of
from originmap.dev.operations import Operation

_MOST_NAMES = 20


class Ignored(NamedTuple):
    """The names that are ignored, sorted; the members of all items of a batch together."""

    arguments: tuple[str, ...]
    fields: tuple[str, ...]


NOTHING = Ignored((), ())


def ignored_in(operation: Operation, query: str, body: bytes) -> Ignored:
    """What is ignored in a request."""
    if not query and not body:
        return NOTHING
    arguments = dict(parse_qsl(query, keep_blank_values=True)).keys() - operation.arguments
    fields: set[str] = set()
    for item in items_of(body):
        if isinstance(item, dict):
            fields |= item.keys() - (operation.fields or frozenset())
    return Ignored(tuple(sorted(arguments)[:_MOST_NAMES]), tuple(sorted(fields)[:_MOST_NAMES]))
