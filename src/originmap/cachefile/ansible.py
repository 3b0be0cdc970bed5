"""Caches of an Ansible inventory in YAML.

A host with the variable `originmap_colo` is a cache. As in Ansible, variables of a host come before
those of its groups, and those of a group before those of its parents. Templates and encrypted
values are refused, because only Ansible can evaluate them; folders such as group_vars are not read:
`ansible-inventory --list --yaml --export` prints an inventory that includes them.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from originmap.cachefile.draft import CacheDraft, name_of
from originmap.cachefile.tree import TreeNode
from originmap.domain.tier.cache import MAX_CACHES
from originmap.mapfile.errors import Where

COLO = "originmap_colo"
_VARIABLES = ("name", "port", "weight", "state", "tags")
_ROOT = "all"
_LETTERS = string.ascii_letters
_RANGE = re.compile(r"\[([0-9]{1,9}|[A-Za-z]):([0-9]{1,9}|[A-Za-z])(?::([1-9][0-9]{0,8}))?\]")


@dataclass(slots=True)
class _Host:
    where: Where
    groups: set[str] = field(default_factory=set)
    variables: dict[str, TreeNode] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    parents: set[str] = field(default_factory=set)
    variables: dict[str, TreeNode] = field(default_factory=dict)


def read(root: TreeNode, colo: str, draft: CacheDraft) -> None:
    """Add the hosts of an inventory to a draft; `colo` is the variable with the colo."""
    if not root.members:
        draft.problem(root.where, "an inventory is a mapping of groups")
        return
    inventory = _Inventory(draft)
    for name, node in root.members.items():
        inventory.add_group(name, node, "" if name == _ROOT else _ROOT)
    inventory.add_caches(colo)


class _Inventory:
    def __init__(self, draft: CacheDraft) -> None:
        self._draft = draft
        self._hosts: dict[str, _Host] = {}
        self._groups = {_ROOT: _Group()}

    def add_group(self, name: str, node: TreeNode, parent: str) -> None:
        group = self._groups.setdefault(name, _Group())
        if parent:
            group.parents.add(parent)
        for key, value in self._members(node, f"group {name}"):
            if key == "hosts":
                for host, variables in self._members(value, f"hosts of {name}"):
                    self._add_hosts(host, variables, name, value.keys.get(host, value.where))
            elif key == "vars":
                group.variables.update(self._members(value, f"vars of {name}"))
            elif key == "children":
                for child, content in self._members(value, f"children of {name}"):
                    self.add_group(child, content, name)
            else:
                where = node.keys.get(key, node.where)
                self._draft.problem(where, f"group {name}: {key!r} is not hosts, vars or children")

    def _members(self, node: TreeNode, what: str) -> Iterator[tuple[str, TreeNode]]:
        if node.members is not None:
            yield from node.members.items()
        elif node.text != "":
            self._draft.problem(node.where, f"{what} must be a mapping")

    def _add_hosts(self, pattern: str, variables: TreeNode, group: str, where: Where) -> None:
        try:
            for name in _expanded(pattern):
                if len(self._hosts) > MAX_CACHES:
                    self._draft.problem(where, f"more than {MAX_CACHES:,} hosts")
                    return
                host = self._hosts.setdefault(name, _Host(where))
                host.groups.add(group)
                host.variables.update(self._members(variables, f"host {name}"))
        except _EmptyRange as error:
            self._draft.problem(where, f"hosts {pattern}: {error}")

    def add_caches(self, colo: str) -> None:
        try:
            depths = self._depths()
        except CycleError as error:
            names = " in ".join(error.args[1])
            (first, *_) = self._hosts.values() or [_Host(Where("", 1, 1))]
            self._draft.problem(first.where, f"a group contains itself: {names}")
            return
        for name, host in self._hosts.items():
            variables = self._variables(host, depths)
            if not (colo in variables and variables[colo].text):
                self._draft.skipped.append(name)
                continue
            words = {"colo": colo, "address": "ansible_host"}
            words |= {word: f"originmap_{word}" for word in _VARIABLES}
            found = {
                word: self._text(host.where, variable, variables[variable])
                for word, variable in words.items()
                if variable in variables
            }
            self._draft.add({"name": name_of(name), "address": name, **found}, host.where)

    def _depths(self) -> dict[str, int]:
        """The distance of each group from the root. Raises CycleError."""
        depths: dict[str, int] = {}
        parents = {name: group.parents for name, group in self._groups.items()}
        for name in TopologicalSorter(parents).static_order():
            depths[name] = 1 + max((depths[parent] for parent in parents[name]), default=-1)
        return depths

    def _variables(self, host: _Host, depths: dict[str, int]) -> dict[str, TreeNode]:
        groups, waiting = {_ROOT}, set(host.groups)
        while waiting:
            groups.add(name := waiting.pop())
            waiting |= self._groups[name].parents - groups
        variables: dict[str, TreeNode] = {}
        for name in sorted(groups, key=lambda name: (depths[name], name)):
            variables |= self._groups[name].variables
        return variables | host.variables

    def _text(self, where: Where, variable: str, node: TreeNode) -> str:
        text = ",".join(each.text or "" for each in node.items or ()) or node.text or ""
        if "{{" in text or text.startswith("$ANSIBLE_VAULT"):
            self._draft.problem(node.where, f"{variable}: only Ansible can evaluate this value")
        elif node.members is not None:
            self._draft.problem(node.where, f"{variable} must be text")
        return text


class _EmptyRange(ValueError):
    """A range that has no hosts."""


def _expanded(pattern: str) -> Iterator[str]:
    """The hosts of a pattern: cache[01:14].example.net, or cache[a:c]; both ends are included.
    Raises _EmptyRange."""
    match = _RANGE.search(pattern)
    if match is None:
        yield pattern
        return
    before, after = pattern[: match.start()], pattern[match.end() :]
    for value in _values(match):
        for rest in _expanded(after):
            yield before + value + rest


def _values(match: re.Match[str]) -> Iterator[str]:
    """The values of a range, as in Ansible: upper-case letters come after lower-case ones."""
    first, last, step = match[1], match[2], int(match[3] or 1)
    numbers = first.isdigit()
    if numbers != last.isdigit():
        raise _EmptyRange(f"the range {match[0]} has a number and a letter as its ends")
    ends = [int(each) if numbers else _LETTERS.index(each) for each in (first, last)]
    if ends[0] > ends[1]:
        raise _EmptyRange(f"the range {match[0]} starts after its end")
    width = len(first) if first.startswith("0") else 0
    for each in range(ends[0], ends[1] + 1, step):
        yield str(each).zfill(width) if numbers else _LETTERS[each]
