"""Envoy with discovery over gRPC, as in docs/envoy.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.caches.live_envoy import LiveEnvoy
from tests.caches.network import Machine
from tests.caches.programs.envoy import TYPE, static
from tests.process import TOKEN, Server

_OPTIONS = "extensions.upstreams.http.v3.HttpProtocolOptions"


class StreamingEnvoy(LiveEnvoy):
    """Gets clusters, endpoints and routes on one stream."""

    api_type = "DELTA_GRPC"
    more_upstreams: Sequence[str] = ()

    def __init__(
        self,
        folder: Path,
        machines: Mapping[str, Machine],
        server: Server,
        port: int,
        colo: str = "SIN",
        name: str = "sin-1",
    ) -> None:
        """`port` is that of the discovery service."""
        self._port = port
        self._name = name
        self.token = TOKEN
        super().__init__(folder, machines, server, colo)

    def _node(self) -> dict[str, Any]:
        node = super()._node()
        node["metadata"]["originmap"]["upstream"] += self.more_upstreams
        return {**node, "id": self._name}

    def _clusters_source(self) -> dict[str, Any]:
        back_off = {"base_interval": "0.1s", "max_interval": "0.2s"}
        service = {
            "envoy_grpc": {
                "cluster_name": "originmap",
                "retry_policy": {"retry_back_off": back_off},
            },
            "initial_metadata": self._credentials(),
        }
        ads = {"api_type": self.api_type, "transport_api_version": "V3", "grpc_services": [service]}
        return {"ads_config": ads, "cds_config": self._source("cds.json")}

    def _credentials(self) -> list[dict[str, Any]]:
        return [{"key": "authorization", "value": f"Bearer {self.token}"}]

    def _source(self, name: str) -> dict[str, Any]:
        return {"resource_api_version": "V3", "ads": {}}

    def _more_clusters(self) -> list[dict[str, Any]]:
        cluster = static("originmap", {"address": "127.0.0.1", "port_value": self._port})
        http2 = {
            "@type": TYPE + _OPTIONS,
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        options = {"typed_extension_protocol_options": {f"envoy.{_OPTIONS}": http2}}
        return [{**cluster, **options, **self._transport()}]

    def _transport(self) -> dict[str, Any]:
        return {}


class StateOfTheWorldEnvoy(StreamingEnvoy):
    """The same by the state-of-the-world protocol."""

    api_type = "GRPC"


class CertifiedEnvoy(StreamingEnvoy):
    """Has a certificate, and no token. Its folder has ca.pem, and NAME.pem and NAME.key for its
    name."""

    def _credentials(self) -> list[dict[str, Any]]:
        return []

    def _transport(self) -> dict[str, Any]:
        certificate = {
            name: {"filename": str(self.folder / f"{self._name}.{end}")}
            for name, end in (("certificate_chain", "pem"), ("private_key", "key"))
        }
        context = {
            "@type": TYPE + "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "localhost",
            "common_tls_context": {
                "tls_certificates": [certificate],
                "validation_context": {"trusted_ca": {"filename": str(self.folder / "ca.pem")}},
            },
        }
        socket = {"name": "envoy.transport_sockets.tls", "typed_config": context}
        return {"transport_socket": socket}
