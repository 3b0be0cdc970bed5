"""Envoy, if URLs are assigned to caches by consistent hashing: a cluster for each colo.

The cluster of a chain is an aggregate of those of its colos, because retries reach the next
priority of an aggregate at once, and that of MAGLEV or RING_HASH only after health checks.

The clusters of colos use MAGLEV, because it moves few URLs of other caches if one leaves. RING_HASH
moves more, since its points depend on the sum of weights of healthy caches. A cache is hashed by
its name, and keeps its URLs if its address changes.

Requests are marked with the code of the first colo, or HUB, because a route cannot know the colo
that is chosen. A node passes a marked request to the origin, except on a regional hub.
"""

from collections.abc import Iterator, Mapping, Sequence

from originmap.domain.tier.cache import MAX_CACHES_OF_COLO, Cache
from originmap.domain.tier.chain import GENERIC, Chain
from originmap.domain.tier.hash_key import uri_parts
from originmap.domain.tier.topology import HashPart
from originmap.export.node import HOP, HUB, ORIGIN, Node, name_of

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
ROUTE_TYPE = "type.googleapis.com/envoy.config.route.v3.Route"
_ALL = {"prefix": "/"}
_MARKED = {"name": HOP, "present_match": True}
_NOT_TO_HUB = {"name": HOP, "string_match": {"exact": HUB}, "invert_match": True}
_INPUT = {
    "name": "mark",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": HOP.lower(),
    },
}
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
    """The routes of a chain. A request that was sent to this node as a hub does not go to another
    hub."""
    mark = {
        "header": {"key": HOP, "value": node.mark(chain)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    fill: dict[str, object] = {
        "match": _ALL,
        "route": {"cluster": name_of(chain), "hash_policy": _hash_policy(node)},
        "request_headers_to_add": [mark],
    }
    return [_to_origin(_MARKED), fill] if node.through_hub(chain) else [fill]


def marked() -> dict[str, object]:
    """The route of marked requests except those to a hub, for a virtual host with routes."""
    return _to_origin(_MARKED, _NOT_TO_HUB)


def match_marked() -> dict[str, object]:
    """The same for a virtual host with a matcher."""
    any_mark = {"safe_regex": {"google_re2": {}, "regex": ".+"}}
    marked = {"single_predicate": {"input": _INPUT, "value_match": any_mark}}
    to_hub = {"single_predicate": {"input": _INPUT, "value_match": {"exact": HUB}}}
    route = {"@type": ROUTE_TYPE, **_to_origin()}
    return {
        "predicate": {"and_matcher": {"predicate": [marked, {"not_matcher": to_hub}]}},
        "on_match": {"action": {"name": "route", "typed_config": route}},
    }


def _to_origin(*headers: Mapping[str, object]) -> dict[str, object]:
    """A route to the origin for requests with `headers`."""
    return {
        "match": {**_ALL, **({"headers": headers} if headers else {})},
        "route": {"cluster": ORIGIN},
        "request_headers_to_remove": [HOP],
    }


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
