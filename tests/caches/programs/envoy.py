"""Envoy, which watches the files with our clusters and routes."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.caches.programs.cache import IP, Cache, found

TYPE = "type.googleapis.com/envoy."


class Envoy(Cache):
    """Loads new files by itself, once they are moved into place."""

    format = "envoy"
    headers: ClassVar = {"x-originmap-ip": IP}

    def check_installed(self) -> None:
        self._program = shutil.which("envoy", path=str(Path(sys.executable).parent))
        if self._program is None:
            found("envoy")

    def prepare(self) -> None:
        origin = {"address": self.origin.host, "port_value": self.origin.port}
        router = {"@type": TYPE + "extensions.filters.http.router.v3.Router"}
        manager = {
            "@type": TYPE + "extensions.filters.network.http_connection_manager.v3"
            ".HttpConnectionManager",
            "stat_prefix": "site",
            "rds": {"route_config_name": "originmap", "config_source": self._source("rds.json")},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        }
        listen = {"socket_address": {"address": "127.0.0.1", "port_value": self.port}}
        chain = {
            "filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
            ]
        }
        config = {
            "node": self._node(),
            "dynamic_resources": self._clusters_source(),
            "static_resources": {
                "listeners": [{"name": "site", "address": listen, "filter_chains": [chain]}],
                "clusters": [static("originmap-origin", origin), *self._more_clusters()],
            },
        }
        (self.folder / "envoy.json").write_text(json.dumps(config))

    def _node(self) -> dict[str, Any]:
        return {"id": "sin", "cluster": "caches"}

    def _more_clusters(self) -> list[dict[str, Any]]:
        return []

    def _clusters_source(self) -> dict[str, Any]:
        return {"cds_config": self._source("cds.json")}

    def _source(self, name: str) -> dict[str, Any]:
        path = {"path": str(self.folder / name)}
        return {"resource_api_version": "V3", "path_config_source": path}

    def command(self) -> list[str]:
        assert self._program is not None
        return [
            self._program, "-c", str(self.folder / "envoy.json"), "--concurrency", "1",
            "--use-dynamic-base-id", "--log-level", "warning",
        ]  # fmt: skip

    def reload(self) -> None:
        pass

    def duty(self) -> list[str]:
        return ["--write", f"envoy={self.folder}"]


class EnvoyOwnClusters(Envoy):
    """Envoy with the operator's own clusters, as in docs/exports.md, which read only endpoints from
    our files.
    """

    names: tuple[str, ...] = ("originmap_iad_fra", "originmap_fra_iad")
    aggregates: Mapping[str, Sequence[str]] = {}
    lb_policy = "ROUND_ROBIN"

    def _more_clusters(self) -> list[dict[str, Any]]:
        own = [self._own(name) for name in self.names]
        return own + [aggregate(name, of) for name, of in self.aggregates.items()]

    def _clusters_source(self) -> dict[str, Any]:
        return {}

    def _own(self, name: str) -> dict[str, Any]:
        check = {
            "tcp_health_check": {},
            "timeout": "2s",
            "interval": "5s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
        }
        return {
            "name": name,
            "type": "EDS",
            "lb_policy": self.lb_policy,
            "connect_timeout": "2s",
            "health_checks": [check],
            "eds_cluster_config": {"eds_config": self._source(f"eds/{name}.json")},
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        }


def static(name: str, address: dict[str, Any]) -> dict[str, Any]:
    """A cluster with one address."""
    endpoint = {"endpoint": {"address": {"socket_address": address}}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def aggregate(name: str, clusters: Sequence[str]) -> dict[str, Any]:
    """A cluster that uses the first of several clusters that is healthy."""
    config = {
        "@type": TYPE + "extensions.clusters.aggregate.v3.ClusterConfig",
        "clusters": [*clusters],
    }
    return {
        "name": name,
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": "2s",
        "cluster_type": {"name": "envoy.clusters.aggregate", "typed_config": config},
        "circuit_breakers": {"thresholds": [{"max_retries": 1024}]},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
