"""Envoy, with the clusters for colos with several caches, as in docs/exports.md."""

from typing import ClassVar

from tests.caches.programs.envoy import Envoy, EnvoyOwnClusters


class SharedEnvoy(Envoy):
    """Has the same configuration as for colos with one cache."""


class SharedEnvoyOwnClusters(EnvoyOwnClusters):
    """The operator's own clusters, for each colo and for the chain."""

    names = ("originmap-colo-iad", "originmap-colo-fra")
    aggregates: ClassVar = {"originmap_iad_fra": names}
    lb_policy = "MAGLEV"
