"""Envoy: clusters (CDS), their endpoints (EDS) and routes (RDS).

There is a cluster for each chain, with the upper tier in priority 0 and its fallbacks after it. In
the virtual host of a zone, the header x-originmap-ip selects the cluster. The operator defines the
cluster originmap-origin, which connects to the origin itself. A file is a discovery response with
resources only; `discovery` adds the other members. `envoy_caches` has what differs if URLs are
assigned to caches by consistent hashing.
"""

from collections.abc import Collection, Iterator
from json import dumps

from originmap.domain.mapping import address as addresses
from originmap.domain.tier.chain import Chain
from originmap.export.format import Writer
from originmap.export.node import Node, ZonePart, name_of
from originmap.export.shared import envoy_caches

_TYPE = "type.googleapis.com/envoy."
_ROUTE_LIST = _TYPE + "config.route.v3.RouteList"
CLUSTER_TYPE = _TYPE + "config.cluster.v3.Cluster"
ENDPOINTS_TYPE = _TYPE + "config.endpoint.v3.ClusterLoadAssignment"
ROUTES_TYPE = _TYPE + "config.route.v3.RouteConfiguration"
HOST_TYPE = _TYPE + "config.route.v3.VirtualHost"
ROUTES = "originmap"
"""The only route configuration."""

_RETRY = _TYPE + "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
_HEADER = _TYPE + "type.matcher.v3.HttpRequestHeaderMatchInput"


class _Resources(Writer):
    """A discovery response with resources that do not depend on the mappings."""

    def __init__(self, node: Node, head: str = "", names: Collection[str] = ()) -> None:
        """`head`: members of the response before its resources; `names`: the only resources to
        write, or empty for all."""
        self._node = node
        self._head = head
        self._names = names

    def start(self) -> Iterator[bytes]:
        yield f'{{{self._head}"resources":['.encode()
        separator = ""
        for name, resource in self.resources():
            if not self._names or name in self._names:
                yield (separator + _json(resource)).encode()
                separator = ",\n"

    def end(self) -> Iterator[bytes]:
        yield b"]}\n"

    def resources(self) -> Iterator[tuple[str, dict[str, object]]]:
        """The resources with their names."""
        raise NotImplementedError

    def _assignments(self) -> Iterator[tuple[str, dict[str, object]]]:
        """The endpoints of each cluster that has some."""
        if self._node.hashed:
            yield from envoy_caches.assignments(self._node)
            return
        for chain in self._node.chains:
            yield name_of(chain), self._assignment(chain)

    def _assignment(self, chain: Chain) -> dict[str, object]:
        localities = []
        for priority, code in enumerate(chain):
            endpoint, colo = self._node.endpoint(code), self._node.colo_of(code)
            address = {"address": endpoint.host, "port_value": endpoint.port}
            localities.append(
                {
                    "locality": {"region": colo.country, "zone": colo.code},
                    "priority": priority,
                    "lb_endpoints": [{"endpoint": {"address": {"socket_address": address}}}],
                }
            )
        return {"cluster_name": name_of(chain), "endpoints": localities}


class Clusters(_Resources):
    """Writes clusters with their endpoints. Envoy resolves host names by DNS."""

    def resources(self) -> Iterator[tuple[str, dict[str, object]]]:
        for name, assignment in self._assignments():
            yield name, {"@type": CLUSTER_TYPE, **self._cluster(name, assignment)}
        if self._node.hashed:
            for name, cluster in envoy_caches.aggregates(self._node):
                yield name, {"@type": CLUSTER_TYPE, **cluster}

    def _cluster(self, name: str, assignment: dict[str, object]) -> dict[str, object]:
        check = {
            "tcp_health_check": {},
            "timeout": "2s",
            "interval": "5s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
        }
        return {
            "name": name,
            "type": "STRICT_DNS",
            "connect_timeout": "2s",
            **(envoy_caches.CLUSTER if self._node.hashed else {}),
            "load_assignment": assignment,
            "health_checks": [check],
            # With the default the fallback gets requests as soon as most hosts of a priority fail.
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        }


class Assignments(_Resources):
    """Writes endpoints for the operator's own clusters. Envoy accepts only IP addresses here, and
    only one cluster in a file, so there is a file for each name of `on_addresses`."""

    def resources(self) -> Iterator[tuple[str, dict[str, object]]]:
        for name, assignment in self._assignments():
            yield name, {"@type": ENDPOINTS_TYPE, **assignment}


def on_addresses(node: Node) -> list[str]:
    """The clusters whose upper tiers all have IP addresses. Raises InvalidExport."""
    clusters = {name_of(chain): chain for chain in node.chains}
    if node.hashed:
        clusters = {envoy_caches.name_of_colo(code): (code,) for code in node.members()}
    return [
        name
        for name, codes in clusters.items()
        if all(cache.endpoint.is_address for code in codes for cache in node.caches(code))
    ]


class Routes(Writer):
    """Writes one route configuration, named originmap."""

    def __init__(self, node: Node, head: str = "", names: Collection[str] = ()) -> None:
        self._node = node
        self._head = head
        self._wanted = not names or ROUTES in names

    def start(self) -> Iterator[bytes]:
        yield f'{{{self._head}"resources":['.encode()
        if self._wanted:
            yield (
                f'{{"@type":"{ROUTES_TYPE}","name":"{ROUTES}","virtual_hosts":[\n{self.other_hosts()}'
            ).encode()

    def zone(self, part: ZonePart) -> Iterator[bytes]:
        if self._wanted:
            yield (",\n" + self.virtual_host(part)).encode()

    def other_hosts(self) -> str:
        """The virtual host of requests for no zone, as JSON."""
        return _json(self._plain_host(ROUTES, ["*"], ()))

    def virtual_host(self, part: ZonePart) -> str:
        """The virtual host of a zone, as JSON."""
        rows = [row for row in part.rows if row.chain != part.default]
        domains = [part.name, f"*.{part.name}"]
        if not rows:
            return _json(self._plain_host(part.name, domains, part.default))
        actions = {chain: _json(self._action(chain)) for chain in {row.chain for row in rows}}
        text = addresses.text
        entries = ",\n".join(f'"{text(row.address)}":{actions[row.chain]}' for row in rows)
        header = {"@type": _HEADER, "header_name": "x-originmap-ip"}
        matcher = (
            f'{{"matcher_tree":{{"input":{{"name":"ip","typed_config":{_json(header)}}},'
            f'"exact_match_map":{{"map":{{\n{entries}}}}}}},'
            f'"on_no_match":{_json(self._action(part.default))}}}'
        )
        return (
            f'{{"name":{_json(part.name)},"domains":{_json(domains)},"retry_policy":{_json(self._retry())},'
            f'"matcher":{self._unmarked(matcher)}}}'
        )

    def end(self) -> Iterator[bytes]:
        yield b"\n]}]}\n" if self._wanted else b"]}\n"

    def _unmarked(self, matcher: str) -> str:
        """A matcher for requests that other caches have not marked."""
        if not self._node.hashed:
            return matcher
        marked = _json({"matchers": [envoy_caches.match_marked()]})
        return f'{{"matcher_list":{marked},"on_no_match":{{"matcher":{matcher}}}}}'

    def _routes(self, chain: Chain) -> list[dict[str, object]]:
        if chain and self._node.hashed:
            return envoy_caches.routes(self._node, chain)
        return [{"match": {"prefix": "/"}, "route": {"cluster": name_of(chain)}}]

    def _action(self, chain: Chain) -> dict[str, object]:
        routes = self._routes(chain)
        config: dict[str, object] = {"@type": _ROUTE_LIST, "routes": routes}
        if len(routes) == 1:
            config = {"@type": envoy_caches.ROUTE_TYPE, **routes[0]}
        return {"action": {"name": "route", "typed_config": config}}

    def _plain_host(self, name: str, domains: list[str], chain: Chain) -> dict[str, object]:
        """A virtual host with the routes of one chain for all requests."""
        routes = self._routes(chain)
        if chain and self._node.hashed:
            routes = [envoy_caches.marked(), *routes]
        host: dict[str, object] = {"name": name, "domains": domains, "routes": routes}
        return {**host, "retry_policy": self._retry()} if chain else {**host}

    def _retry(self) -> dict[str, object]:
        """The retry policy: if a colo is unreachable, Envoy retries with the next priority at once,
        without waiting for the health checks."""
        hashed = self._node.hashed
        priority = {"@type": _RETRY, "update_frequency": 2 if hashed else 1}
        return {
            "retry_on": "connect-failure,refused-stream",
            "num_retries": 2,
            "retry_priority": {
                "name": "envoy.retry_priorities.previous_priorities",
                "typed_config": priority,
            },
            **(envoy_caches.retry() if hashed else {}),
        }


def _json(value: object) -> str:
    return dumps(value, separators=(",", ":"))
