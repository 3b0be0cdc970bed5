"""Varnish for colos with several caches, with the VCL of docs/exports.md."""

from collections.abc import Sequence

from originmap.domain.tier.cache import Cache
from originmap.domain.tier.rings import varnish
from tests.caches.programs.cache import ZONE
from tests.caches.programs.varnish import VarnishByTCC


class SharedVarnish(VarnishByTCC):
    """Looks up each request, because a request to itself would wait for one that is stored."""

    lookup = "hash"

    def owner(self, caches: Sequence[Cache], path: str) -> str:
        """The cache of a URL, as computed in Python."""
        return varnish.owner(caches, f"{ZONE}{path}".encode()).name
