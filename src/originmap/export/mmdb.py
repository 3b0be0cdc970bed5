"""MMDB: a database that any MaxMind reader reads, from an address to vendor, region, mode, primary
and fallbacks (MaxMind DB file format 2.0).

It has no zones: where two say different things of one address, the last word counts. In it an
IPv4 address is the IPv6 address in ::/96 with the same number, so IPv6 addresses there are left
out; other networks that stand for IPv4 addresses are in `mmdb_aliases`.

The tree is written as it goes, root first, and never held: node numbers follow from how many bits
neighbouring addresses share. Between passes it takes some 110 bytes for each address, however
many nodes the tree has.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.resolution import Mode
from originmap.export.by_address import ByAddress
from originmap.export.mmdb_aliases import Alias, aliases, within
from originmap.export.node import Chain, Node, ZonePart

_BITS, _V4_BITS = 128, 32
_LOW = b"\0" * 12
_MARK = b"\xab\xcd\xefMaxMind.com"
_GAP = 16  # between the tree and the data, and counted in pointers into the data
_STEP = 200
"""Addresses between two chunks."""

_UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _TEXT = 5, 6, 7, 9, 11, 2


class _Number(NamedTuple):
    kind: int
    number: int


class _Entry(NamedTuple):
    place: Place
    mode: Mode
    chain: Chain


class MMDB:
    """As `format.Writer`."""

    def __init__(self, node: Node) -> None:
        self._found: ByAddress[_Entry] = ByAddress()
        self._newest = 0

    def start(self) -> Iterator[bytes]:
        yield b""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        add = self._found.add
        for row in part.rows:
            add(row.address, row.mapping.revision, _Entry(row.place, row.mode, row.chain))
        newest = (row.mapping.modified_on for row in part.rows)
        self._newest = max(self._newest, max(newest, default=0))
        yield b""

    def end(self) -> Iterator[bytes]:
        v4, numbers, own = array("I"), array("I"), list[int]()
        for key, number in self._keys():
            if key >> 32 == 0:
                v4.append(key)
                numbers.append(number)
            elif within(key):
                own.append(key)
        networks = list(aliases(v4, own))
        tree = _Tree()
        for count, leaf in enumerate(self._leaves(networks)):
            tree.measure(leaf)
            if count % _STEP == 0:
                yield b""
        data, offsets = _data(self._found.values)

        def target(leaf: _Leaf) -> int:
            alias = leaf.alias
            if alias is not None and alias.depth < _V4_BITS:
                return tree.node(alias.position, _BITS - _V4_BITS + alias.depth)
            return tree.base + offsets[leaf.number if alias is None else numbers[alias.position]]

        yield from tree.written(self._leaves(networks), target)
        yield b"\0" * _GAP
        yield data
        yield _MARK + _metadata(tree.nodes, self._newest // 1_000_000)

    def _leaves(self, networks: Sequence[Alias]) -> Iterator["_Leaf"]:
        """Every address and every alias, in order."""
        others = (_Leaf(alias.first, alias.length, 0, alias) for alias in networks)
        own = (_Leaf(key, _BITS, number, None) for key, number in self._keys())
        return merge(own, others, key=itemgetter(0))

    def _keys(self) -> Iterator[tuple[int, int]]:
        """Addresses as numbers of 128 bits, with the numbers of their values."""
        for address, number in self._found.entries():
            if address[0] == 4 or not address[1:].startswith(_LOW):
                yield int.from_bytes(address[1:], "big"), number


class _Leaf(NamedTuple):
    """An address, or a network, by its first address and length, with the number of its value or
    what it is an alias of."""

    key: int
    length: int
    number: int
    alias: Alias | None


class _Tree:
    """The search tree over sorted leaves: first all of them are measured, then it is written.

    A node is made by the first leaf that is below it, and nodes are numbered in that order. So a
    leaf that shares `c` bits with the one before makes the nodes of depth c + 1 to its length - 1,
    one after the other, and is below the right side of the node of depth c on its way.
    """

    def __init__(self) -> None:
        self.nodes = 1  # the root, which an empty tree has too
        self._last = 0
        self._shared = bytearray()
        self._firsts = array("I")  # the first node that each key makes
        self._makers = [0] * _BITS  # who made the node of each depth on the way of the last key
        # Which keys are right children of a key's nodes: a linked list, in which 0 ends it.
        self._head, self._next = array("I"), array("I")
        self._bare: dict[int, _Leaf] = {}  # aliases that make no node

    @property
    def base(self) -> int:
        """What is added to where a value is in the data."""
        return self.nodes + _GAP

    def node(self, index: int, depth: int) -> int:
        """The number of the node of this depth that the leaf of this index makes."""
        return self._firsts[index] + depth - (self._shared[index] + 1 if index else 0)

    def measure(self, leaf: _Leaf) -> None:
        """Take the next leaf in."""
        key, index = leaf.key, len(self._shared)
        shared = _BITS - (self._last ^ key).bit_length() if index else -1
        self._shared.append(max(shared, 0))
        self._firsts.append(self.nodes if index else 0)
        self._head.append(0)
        self._next.append(0)
        if index:
            maker = self._makers[shared]
            self._next[index] = self._head[maker]
            self._head[maker] = index
        made = leaf.length - 1 - shared
        self._makers[shared + 1 :] = [index] * made
        self.nodes += made if index else made - 1
        if not made and leaf.length < _BITS:
            self._bare[index] = leaf
        self._last = key

    def written(self, leaves: Iterable[_Leaf], target: Callable[[_Leaf], int]) -> Iterator[bytes]:
        """The tree, a node after the other; `target` says what stands for a leaf."""
        empty = self.nodes
        out = array("I", () if self._firsts else (empty, empty))
        ahead = iter(leaves)
        leaf = next(ahead, None)
        for index, first in enumerate(self._firsts):
            assert leaf is not None
            following = next(ahead, None)
            rights = self._rights(index, target)
            if _BITS - 1 in rights and following is not None:  # a neighbour: it makes no node
                rights[_BITS - 1] = target(following)
            shared = self._shared[index] + 1 if index else 0
            way = f"{leaf.key:0128b}"[shared : leaf.length]
            out.extend(_nodes(way, shared, first, target(leaf), rights, empty))
            if index % _STEP == _STEP - 1:
                yield _big_endian(out)
                out = array("I")
            leaf = following
        yield _big_endian(out)

    def _rights(self, index: int, target: Callable[[_Leaf], int]) -> dict[int, int]:
        """The right children of the nodes that a leaf made, by depth."""
        rights = {}
        child = self._head[index]
        while child:
            bare = self._bare.get(child)
            rights[self._shared[child]] = target(bare) if bare else self._firsts[child]
            child = self._next[child]
        return rights


def _nodes(
    way: str, depth: int, first: int, value: int, rights: Mapping[int, int], empty: int
) -> Iterator[int]:
    """Left and right of each node that a leaf makes, the first of which has this depth, from the
    bits of its way there on."""
    child, end = first, depth + len(way)
    for bit in way:
        child += 1
        target = child if depth < end - 1 else value
        if bit == "1":
            yield empty
            yield target
        else:
            yield target
            yield rights.get(depth, empty)
        depth += 1


def _big_endian(out: "array[int]") -> bytes:
    if sys.byteorder == "little":
        out.byteswap()
    return out.tobytes()


def _data(entries: Iterable[_Entry]) -> tuple[bytes, list[int]]:
    """The data section, and where in it each entry starts."""
    data, offsets = bytearray(), []
    for entry in entries:
        offsets.append(len(data))
        members: dict[str, object] = {
            "vendor": entry.place.vendor,
            "region": entry.place.region,
            "mode": entry.mode.value,
            "fallbacks": list(entry.chain[1:]),
        }
        if entry.chain:
            members["primary"] = entry.chain[0]
        data += _encoded(members)
    return bytes(data), offsets


def _metadata(nodes: int, newest: int) -> bytes:
    """`newest`: when the newest mapping was made, in seconds since 1970; there is no other time
    in the file."""
    return _encoded(
        {
            "binary_format_major_version": _Number(_UINT16, 2),
            "binary_format_minor_version": _Number(_UINT16, 0),
            "build_epoch": _Number(_UINT64, newest),
            "database_type": "Originmap",
            "description": {"en": "Where the caches of a network fill from, by origin address"},
            "ip_version": _Number(_UINT16, 6),
            "languages": ["en"],
            "node_count": _Number(_UINT32, nodes),
            "record_size": _Number(_UINT16, 32),
        }
    )


def _encoded(value: object) -> bytes:
    """A value in the data format of the specification."""
    match value:
        case str():
            text = value.encode()
            return _control(_TEXT, len(text)) + text
        case _Number(kind, number):
            raw = number.to_bytes(8, "big").lstrip(b"\0")
            return _control(kind, len(raw)) + raw
        case list():
            return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
        case dict():
            members = (_encoded(name) + _encoded(member) for name, member in value.items())
            return _control(_MAP, len(value)) + b"".join(members)
    raise TypeError(value)


def _control(kind: int, size: int) -> bytes:
    """Type and size; sizes from 29 on follow in bytes of their own. Types over 7 are extended."""
    extended = bytes([kind - 7]) if kind > 7 else b""
    number = kind << 5 if kind <= 7 else 0
    if size < 29:
        return bytes([number | size]) + extended
    if size < 285:
        return bytes([number | 29]) + extended + bytes([size - 29])
    return bytes([number | 30]) + extended + (size - 285).to_bytes(2, "big")
