"""Caches as the targets of Prometheus's file-based service discovery, in JSON or YAML.

A group of targets is `{"targets": ["192.0.2.10:80"], "labels": {"colo": "IAD", "name": "iad-1"}}`.
The labels of a group are those of all its targets, so each cache is written as a group of its own.
"""

import json
from collections.abc import Iterable

from originmap.cachefile.draft import CacheDraft, name_of
from originmap.cachefile.tree import TreeNode
from originmap.domain.tier.endpoint import parse_endpoint
from originmap.domain.tier.topology import Colo

COLO = "colo"
_LABELS = ("name", "weight", "state", "tags")


def read(root: TreeNode, colo: str, draft: CacheDraft) -> None:
    """Add the targets of a file to a draft; `colo` is the label with the colo. Other labels are
    ignored."""
    if root.items is None:
        draft.problem(root.where, "a file of targets is a list of groups")
        return
    for index, group in enumerate(root.items):
        members = group.members or {}
        targets = members.get("targets")
        labels = members.get("labels", TreeNode(group.where, members={})).members
        if targets is None or targets.items is None or labels is None:
            draft.problem(group.where, f"group {index} needs a list targets, and labels a mapping")
            continue
        for target in targets.items:
            _add(target, labels, colo, draft)


def _add(target: TreeNode, labels: dict[str, TreeNode], colo: str, draft: CacheDraft) -> None:
    address = target.text or ""
    if colo not in labels or not labels[colo].text:
        draft.skipped.append(address)
        return
    endpoint = parse_endpoint(address)
    words = {name: labels[name].text or "" for name in _LABELS if name in labels}
    name = words.get("name") or name_of(endpoint.host if endpoint else address)
    given = {**words, "colo": labels[colo].text or "", "name": name, "address": address}
    draft.add(given, target.where)


def write(colos: Iterable[Colo]) -> str:
    """The caches of colos as a JSON file."""
    groups = [
        {
            "targets": [cache.endpoint.text],
            "labels": {
                "colo": colo.code,
                "city": colo.city,
                "country": colo.country,
                "region": colo.network_region,
                "name": cache.name,
                "state": cache.state.value,
                "weight": str(cache.weight),
                "tags": ",".join(cache.tags),
            },
        }
        for colo in colos
        for cache in colo.caches
    ]
    return json.dumps(groups, ensure_ascii=False, indent=1) + "\n"
