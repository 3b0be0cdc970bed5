"""Envoy with live discovery, as in docs/exports.md."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.caches.network import Machine
from tests.caches.programs.cache import ZONE
from tests.caches.programs.envoy import TYPE, Envoy, static
from tests.process import TOKEN, Server
from tests.waiting import PATIENCE_SECONDS, wait_until

_SECRET = TYPE + "extensions.transport_sockets.tls.v3.Secret"
_INJECTOR = TYPE + "extensions.filters.http.credential_injector.v3.CredentialInjector"
_GENERIC = TYPE + "extensions.http.injected_credentials.generic.v3.Generic"
_CODEC = TYPE + "extensions.filters.http.upstream_codec.v3.UpstreamCodec"
_OPTIONS = "extensions.upstreams.http.v3.HttpProtocolOptions"


class LiveEnvoy(Envoy):
    """Polls ten times a second, with the token from a file."""

    def __init__(
        self, folder: Path, machines: Mapping[str, Machine], server: Server, colo: str = "SIN"
    ) -> None:
        super().__init__(folder, machines)
        self._server = urlsplit(server.url)
        self._colo = colo
        self.give_token(TOKEN)

    def give_token(self, token: str) -> None:
        """Replace the token in the file."""
        secret = {"generic_secret": {"secret": {"inline_string": f"Bearer {token}"}}}
        resource = {"@type": _SECRET, "name": "originmap", **secret}
        new = self.folder / "token.new"
        new.write_text(json.dumps({"resources": [resource]}))
        new.replace(self.folder / "token.json")

    def passes(self, before: str, after: str) -> None:
        """Wait until requests reach another server; none fails before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (last := self.answer(ZONE)) != after:
            assert last == before, self.log()
            assert time.monotonic() < deadline, f"{before} still responds\n{self.log()}"

    def says(self, text: str) -> None:
        """Wait until the log has a text."""
        wait_until(lambda: text in self.log(), self.log)

    def _node(self) -> dict[str, Any]:
        upstream = [f"{c}={self.machines[c].endpoint}" for c in ("IAD", "FRA")]
        return {
            **super()._node(),
            "locality": {"zone": self._colo},
            "metadata": {"originmap": {"upstream": upstream}},
        }

    def _source(self, name: str) -> dict[str, Any]:
        api = {"api_type": "REST", "transport_api_version": "V3", "cluster_names": ["originmap"]}
        asked = {**api, "refresh_delay": "0.1s", "request_timeout": "10s"}
        return {"resource_api_version": "V3", "api_config_source": asked}

    def _more_clusters(self) -> list[dict[str, Any]]:
        address = {"address": self._server.hostname, "port_value": self._server.port}
        file = {"path_config_source": {"path": str(self.folder / "token.json")}}
        credential = {
            "name": "envoy.http.injected_credentials.generic",
            "typed_config": {
                "@type": _GENERIC,
                "credential": {"name": "originmap", "sds_config": file},
            },
        }
        filters = [
            {
                "name": "envoy.filters.http.credential_injector",
                "typed_config": {"@type": _INJECTOR, "credential": credential},
            },
            {"name": "envoy.filters.http.upstream_codec", "typed_config": {"@type": _CODEC}},
        ]
        options = {
            "@type": TYPE + _OPTIONS,
            "explicit_http_config": {"http_protocol_options": {}},
            "http_filters": filters,
        }
        cluster = static("originmap", address)
        return [{**cluster, "typed_extension_protocol_options": {f"envoy.{_OPTIONS}": options}}]


class OwnClusters(LiveEnvoy):
    """LiveEnvoy with the operator's own clusters; it requests only endpoints."""

    def _more_clusters(self) -> list[dict[str, Any]]:
        own = [
            {
                "name": name,
                "type": "EDS",
                "eds_cluster_config": {"eds_config": self._source("eds.json")},
                "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            }
            for name in ("originmap_iad_fra", "originmap_fra_iad")
        ]
        return [*super()._more_clusters(), *own]
