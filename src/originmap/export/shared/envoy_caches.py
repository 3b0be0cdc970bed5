"""Envoy, if URLs are assigned to caches by consistent hashing: a cluster for each colo.

The cluster of a chain is an aggregate of those of its colos, because retries reach the next
priority of an aggregate at once, and that of MAGLEV or RING_HASH only after health checks.

The clusters of colos use MAGLEV, because it moves few URLs of other caches if one leaves. RING_HASH
moves more, since its points depend on the sum of weights of healthy caches. A cache is hashed by
its name, and keeps its URLs if its address changes.

Requests are marked with the code of the first colo, because a route cannot know the colo that is
chosen; a node only looks whether a request is marked, and then does not pass it to its siblings.
"""

from collections.abc import Iterator, Mapping, Sequence

from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, Cache
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.topology import HashPart
from originmap.export.node import HOP, ORIGIN, Node, name_of

_BREAKERS = {"circuit_breakers": {"thresholds": [{"max_retries": 1024}]}}
"""Without them a cache that fails would fail requests, since by default 3 are retried at a time."""
CLUSTER: Mapping[str, object] = {
    "lb_policy": "MAGLEV",
    **_BREAKERS,
    # A cache that refuses connections is found at once; the health check finds it within a minute.
    "outlier_detection": {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "max_ejection_percent": 100,
        "base_ejection_time": "5s",
        "interval": "1s",
    },
}
"""What the cluster of a colo adds."""

_AGGREGATE = "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig"
_PREVIOUS_HOSTS = (
    "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
)
_ALL = {"prefix": "/"}
_OF_PATH = {
    (HashPart.PATH,): r"\?.*",
    (HashPart.QUERY,): r"^[^?]*\??",
    (HashPart.PATH, HashPart.QUERY): "",
}
"""What to remove from the path with the query."""


def name_of_colo(code: str) -> str:
    """The name of the cluster of a colo, such as originmap-colo-iad, or of GENERIC."""
    return name_of((GENERIC,)) if code == GENERIC else f"originmap-colo-{code.lower()}"


def assignments(node: Node) -> Iterator[tuple[str, dict[str, object]]]:
    """The endpoints of each colo, by the name of its cluster."""
    for code in node.members():
        name = name_of_colo(code)
        place = {} if code == GENERIC else {"region": node.colo_of(code).country}
        locality = {
            "locality": {**place, "zone": code},
            "lb_endpoints": [_endpoint(cache) for cache in node.caches(code)],
        }
        yield (
            name,
            {
                "cluster_name": name,
                "endpoints": [locality],
                # With the default the next colo gets requests before all caches of this one fail.
                "policy": {"overprovisioning_factor": 100 * MAX_CACHES_OF_COLO},
            },
        )


def _endpoint(cache: Cache) -> dict[str, object]:
    address = {"address": cache.address, "port_value": cache.port}
    return {
        "endpoint": {"address": {"socket_address": address}},
        "metadata": {"filter_metadata": {"envoy.lb": {"hash_key": cache.name}}},
        "load_balancing_weight": cache.weight,
    }


def aggregates(node: Node) -> Iterator[tuple[str, dict[str, object]]]:
    """The cluster of each chain. Siblings that do not answer are replaced by the origin."""
    for chain in node.chains:
        if chain != (GENERIC,):
            clusters = [*map(name_of_colo, chain), *([ORIGIN] if chain == (node.own,) else [])]
            yield name_of(chain), _aggregate(name_of(chain), clusters)


def _aggregate(name: str, clusters: Sequence[str]) -> dict[str, object]:
    config = {"@type": _AGGREGATE, "clusters": clusters}
    return {
        "name": name,
        "connect_timeout": "2s",
        "lb_policy": "CLUSTER_PROVIDED",
        **_BREAKERS,
        "cluster_type": {"name": "envoy.clusters.aggregate", "typed_config": config},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }


def routes(node: Node, chain: Chain) -> list[dict[str, object]]:
    """The routes of a chain, the first of which is for marked requests."""
    mark = {
        "header": {"key": HOP, "value": chain[0]},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    fill = {
        "match": _ALL,
        "route": {"cluster": name_of(chain), "hash_policy": _hash_policy(node)},
        "request_headers_to_add": [mark],
    }
    if not node.leads_inside(chain):
        return [fill]
    marked = {**_ALL, "headers": [{"name": HOP, "present_match": True}]}
    origin = {"route": {"cluster": ORIGIN}, "request_headers_to_remove": [HOP]}
    return [{"match": marked, **origin}, fill]


def _hash_policy(node: Node) -> list[dict[str, object]]:
    policy = []
    if HashPart.HOST in node.hash_key:
        policy.append(_header(":authority", ":[0-9]+$"))
    if of_path := uri_parts(node.hash_key):
        policy.append(_header(":path", _OF_PATH[of_path]))
    return policy


def _header(name: str, removed: str) -> dict[str, object]:
    header: dict[str, object] = {"header_name": name}
    if removed:
        header["regex_rewrite"] = {"pattern": {"regex": removed}, "substitution": ""}
    return {"header": header}


def retry() -> dict[str, object]:
    """What the retry policy adds: the second attempt is for another cache of the colo."""
    return {
        "num_retries": 3,
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": _PREVIOUS_HOSTS},
            }
        ],
        "host_selection_retry_max_attempts": 16,
    }
