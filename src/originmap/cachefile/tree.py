"""YAML and JSON as a tree of nodes with positions; every scalar is text.

No value is converted, so that the host `1:30` stays text. Anchors and aliases are followed, with a
limit on the size of the whole, because few lines of them can stand for billions of nodes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import yaml

from originmap.mapfile import json_events
from originmap.mapfile.errors import Where

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
_EMPTY = {"", "~", "null", "Null", "NULL"}
_MOST_NODES = 1_000_000


class NotTree(ValueError):
    """A text that is neither YAML nor JSON, or too large or deep."""

    def __init__(self, where: Where, reason: str) -> None:
        super().__init__(reason)
        self.where = where


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A value: text, a list in `items`, or a mapping in `members`; null is an empty text."""

    where: Where
    text: str | None = None
    items: tuple["TreeNode", ...] | None = None
    members: dict[str, "TreeNode"] | None = None
    keys: dict[str, Where] = field(default_factory=dict)
    """Where each key of `members` is."""


def read_yaml(file: str, text: str) -> TreeNode:
    """Parse a text with one document. Raises NotTree."""
    try:
        return _Builder(file, yaml.parse(text, Loader=_LOADER)).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file, 1, 1)
        raise NotTree(where, f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError:
        raise NotTree(Where(file, 1, 1), "not YAML: a character that is not allowed") from None


def read_json(file: str, text: str) -> TreeNode:
    """Parse a JSON text. Raises NotTree."""
    try:
        return _Builder(file, json_events.parse(text)).root()
    except json_events.NotJSON as error:
        where = Where(file, error.line, error.column)
        raise NotTree(where, f"not JSON: {error.reason}") from None


class _Builder:
    """Makes nodes from the events of a parser."""

    def __init__(self, file: str, events: Iterable[yaml.Event]) -> None:
        self._file = file
        self._events: Iterator[yaml.Event] = iter(events)
        self._anchors: dict[str, tuple[TreeNode, int]] = {}
        self._nodes = 0

    def root(self) -> TreeNode:
        """The only document. Raises NotTree if there is a second one: a caller that got the first
        alone would take what the second lists for removed."""
        root: TreeNode | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    reason = "a second document starts here: write all of it as one document"
                    raise NotTree(self._where(event), reason)
                root = self._node(next(self._events), 0)
        return root or TreeNode(Where(self._file, 1, 1), "")

    def _node(self, event: yaml.Event, depth: int) -> TreeNode:
        where, before = self._where(event), self._nodes
        if depth > json_events.MAX_DEPTH:
            raise NotTree(where, f"nested more than {json_events.MAX_DEPTH} levels deep")
        self._count(where, 1)
        if isinstance(event, yaml.AliasEvent):
            known = self._anchors.get(event.anchor or "")
            if known is None:
                raise NotTree(where, f"no anchor {event.anchor} before")
            self._count(where, known[1])
            return known[0]
        if isinstance(event, yaml.SequenceStartEvent):
            node = TreeNode(where, items=tuple(self._items(depth + 1)))
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(where, depth + 1)
        else:
            assert isinstance(event, yaml.ScalarEvent)
            null = event.style in (None, "") and event.value in _EMPTY
            node = TreeNode(where, "" if null else event.value)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = (node, self._nodes - before)
        return node

    def _items(self, depth: int) -> Iterator[TreeNode]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _mapping(self, where: Where, depth: int) -> TreeNode:
        members, merged = dict[str, TreeNode](), dict[str, TreeNode]()
        keys = dict[str, Where]()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, value = self._node(event, depth), self._node(next(self._events), depth)
            if key.text is None:
                raise NotTree(key.where, "a key must be text")
            if key.text == _MERGE:
                for each in value.items or (value,):
                    merged = {**(each.members or {}), **merged}
            elif key.text in members:
                at = f"the first is at {keys[key.text]}"
                raise NotTree(key.where, f"a second key {key.text}; {at}")
            else:
                members[key.text], keys[key.text] = value, key.where
        return TreeNode(where, members={**merged, **members}, keys=keys)

    def _count(self, where: Where, more: int) -> None:
        self._nodes += more
        if self._nodes > _MOST_NODES:
            raise NotTree(where, f"more than {_MOST_NODES:,} values")

    def _where(self, event: yaml.Event) -> Where:
        mark = event.start_mark
        assert mark is not None
        return Where(self._file, mark.line + 1, mark.column + 1)
