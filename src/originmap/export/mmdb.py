"""MMDB: a database for MaxMind readers, from an address to vendor, region, mode, primary and
fallbacks (MaxMind DB file format 2.0).

The file has no zones: if zones map one address to different regions, the latest change counts. It
stores an IPv4 address as the IPv6 address in ::/96 with the same number, so IPv6 addresses there
are left out. `mmdb_aliases` has the other networks that alias IPv4 addresses.

The tree is streamed, root first, and never in memory: node numbers follow from the number of bits
that neighbouring addresses share. Between passes it takes about 110 bytes for each address,
whatever the number of nodes.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import NamedTuple

from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.resolution import Mode
from originmap.export.by_address import ByAddress
from originmap.export.format import Writer
from originmap.export.mmdb_aliases import Alias, aliases, within
from originmap.export.node import NO_PLACE, Node, ZonePart

_BITS, _V4_BITS = 128, 32
_LOW = b"\0" * 12
_MARK = b"\xab\xcd\xefMaxMind.com"
_GAP = 16  # separator between tree and data; pointers into the data include it
_STEP = 200
"""Addresses in a chunk."""

_UINT16, _UINT32, _MAP, _UINT64, _ARRAY, _TEXT = 5, 6, 7, 9, 11, 2


class _Number(NamedTuple):
    kind: int
    number: int


class _Entry(NamedTuple):
    place: Place
    mode: Mode
    upper_tiers: Chain
    hub: str | None
    pool: Chain


class MMDB(Writer):
    """Writes the database."""

    def __init__(self, node: Node) -> None:
        self._pool = node.pool
        self._by_address: ByAddress[_Entry] = ByAddress()
        self._newest = 0

    def start(self) -> Iterator[bytes]:
        yield b""

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        add = self._by_address.add
        for row in part.rows:
            pool = self._pool if row.chain == (GENERIC,) else ()
            entry = _Entry(row.place, row.mode, row.upper_tiers, row.hub, pool)
            add(row.address, row.mapping.revision, entry)
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
        data, offsets = _data(self._by_address.values)

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
        """All addresses and aliases, in order."""
        others = (_Leaf(alias.first, alias.length, 0, alias) for alias in networks)
        own = (_Leaf(key, _BITS, number, None) for key, number in self._keys())
        return merge(own, others, key=itemgetter(0))

    def _keys(self) -> Iterator[tuple[int, int]]:
        """Addresses as 128-bit numbers, with the numbers of their values."""
        for address, number in self._by_address.entries():
            if address[0] == 4 or not address[1:].startswith(_LOW):
                yield int.from_bytes(address[1:], "big"), number


class _Leaf(NamedTuple):
    """An address or a network: its first address, its prefix length, and the number of its value
    or its alias."""

    key: int
    length: int
    number: int
    alias: Alias | None


class _Tree:
    """The search tree over sorted leaves. The first pass measures all leaves, the second writes.

    The first leaf below a node creates the node, and nodes are numbered in that order. So a leaf
    that shares `c` bits with the previous one creates the nodes of depth c + 1 to its length - 1,
    with consecutive numbers, and is below the right child of the node of depth c on its path.
    """

    def __init__(self) -> None:
        self.nodes = 1  # the root, which exists in an empty tree too
        self._last = 0
        self._shared = bytearray()
        self._firsts = array("I")  # the first node that each key creates
        self._makers = [0] * _BITS  # the key that created the node of each depth on the last path
        # The keys that are right children of a key's nodes: a linked list, terminated by 0.
        self._head, self._next = array("I"), array("I")
        self._bare: dict[int, _Leaf] = {}  # aliases that create no node

    @property
    def base(self) -> int:
        """The number to add to a value's offset in the data."""
        return self.nodes + _GAP

    def node(self, index: int, depth: int) -> int:
        """The number of the node at this depth that the leaf with this index creates."""
        return self._firsts[index] + depth - (self._shared[index] + 1 if index else 0)

    def measure(self, leaf: _Leaf) -> None:
        """Measure the next leaf."""
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
        created = leaf.length - 1 - shared
        self._makers[shared + 1 :] = [index] * created
        self.nodes += created if index else created - 1
        if not created and leaf.length < _BITS:
            self._bare[index] = leaf
        self._last = key

    def written(self, leaves: Iterable[_Leaf], target: Callable[[_Leaf], int]) -> Iterator[bytes]:
        """Write the tree, node by node; `target` gives the record of a leaf."""
        empty = self.nodes
        out = array("I", () if self._firsts else (empty, empty))
        ahead = iter(leaves)
        leaf = next(ahead, None)
        for index, first in enumerate(self._firsts):
            assert leaf is not None
            following = next(ahead, None)
            rights = self._rights(index, target)
            if _BITS - 1 in rights and following is not None:  # the last bit: it creates no node
                rights[_BITS - 1] = target(following)
            shared = self._shared[index] + 1 if index else 0
            path = f"{leaf.key:0128b}"[shared : leaf.length]
            out.extend(_nodes(path, shared, first, target(leaf), rights, empty))
            if index % _STEP == _STEP - 1:
                yield _big_endian(out)
                out = array("I")
            leaf = following
        yield _big_endian(out)

    def _rights(self, index: int, target: Callable[[_Leaf], int]) -> dict[int, int]:
        """The right children of the nodes that a leaf created, by depth."""
        rights = {}
        child = self._head[index]
        while child:
            bare = self._bare.get(child)
            rights[self._shared[child]] = target(bare) if bare else self._firsts[child]
            child = self._next[child]
        return rights


def _nodes(
    path: str, depth: int, first: int, value: int, rights: Mapping[int, int], empty: int
) -> Iterator[int]:
    """The left and right records of the nodes that a leaf creates. The first node has this depth;
    `path` has the bits of the leaf from there on."""
    child, end = first, depth + len(path)
    for bit in path:
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
    """The data section, and the offset of each entry in it."""
    data, offsets = bytearray(), []
    for entry in entries:
        offsets.append(len(data))
        members: dict[str, object] = {
            "mode": entry.mode.value,
            "fallbacks": list(entry.upper_tiers[1:]),
        }
        if entry.place is not NO_PLACE:
            members = {**entry.place._asdict(), **members}
        if entry.upper_tiers:
            members["primary"] = entry.upper_tiers[0]
        if entry.hub:
            members["regional_hub"] = entry.hub
        if entry.pool:
            members["pool"] = list(entry.pool)
        data += _encoded(members)
    return bytes(data), offsets


def _metadata(nodes: int, newest: int) -> bytes:
    """`newest`: the time of the newest mapping, in seconds since 1970, the only time in the
    file."""
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
    """Encode a value in the data format of the specification."""
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
    """The control bytes: type and size. Sizes from 29 on have extra bytes, types over 7 too."""
    extended = bytes([kind - 7]) if kind > 7 else b""
    number = kind << 5 if kind <= 7 else 0
    if size < 29:
        return bytes([number | size]) + extended
    if size < 285:
        return bytes([number | 29]) + extended + bytes([size - 29])
    return bytes([number | 30]) + extended + (size - 285).to_bytes(2, "big")
