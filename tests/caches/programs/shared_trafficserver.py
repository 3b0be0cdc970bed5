"""Traffic Server, with a site for colos with several caches, as in docs/exports.md."""

from collections.abc import Sequence

from originmap.domain.tier.cache import Cache as Listed
from originmap.domain.tier.rings import trafficserver
from tests.caches.programs.cache import IP, ZONE
from tests.caches.programs.trafficserver import BY_PARENT, TrafficServer


class SharedTrafficServer(TrafficServer):
    """Fills through a strategy, or through parent.config if another cache has sent the request."""

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "records.config").open("a") as records:
            records.write("CONFIG proxy.config.cache.hostdb.disable_reverse_lookup INT 1\n")
            records.write("CONFIG proxy.config.http.max_proxy_cycles INT 1\n")
        target = f"http://{self.origin.endpoint}/"
        self._write(
            "remap.config",
            f"map http://{BY_PARENT}/ {target}\n"
            f"map http://{ZONE}/ {target} @strategy={ZONE}/{IP}\n"
            f"map http://marked.{ZONE}/ {target}\n"
            f"map http://marked.{self.origin.endpoint}/ {target}\n",
        )
        self._write("plugin.config", "header_rewrite.so originmap-colo.config\n")
        self._write(
            "originmap-colo.config",
            r"""
cond %{READ_REQUEST_PRE_REMAP_HOOK} [AND]
cond %{CLIENT-HEADER:X-Originmap-Colo} ="" [NOT,AND]
cond %{CLIENT-URL:HOST} ="" [NOT]
set-destination HOST "marked.%{CLIENT-URL:HOST}"

cond %{READ_REQUEST_PRE_REMAP_HOOK} [AND]
cond %{CLIENT-HEADER:X-Originmap-Colo} ="" [NOT,AND]
cond %{CLIENT-URL:HOST} =""
set-destination HOST "marked.%{CLIENT-HEADER:Host}"

cond %{SEND_REQUEST_HDR_HOOK}
rm-header X-Originmap-Colo

cond %{SEND_REQUEST_HDR_HOOK} [AND]
cond %{NEXT-HOP:HOST} /^127\.0\.1\./
set-header X-Originmap-Colo IAD

cond %{SEND_REQUEST_HDR_HOOK} [AND]
cond %{NEXT-HOP:HOST} /^127\.0\.2\./
set-header X-Originmap-Colo FRA
""",
        )

    def owner(self, caches: Sequence[Listed], path: str) -> str:
        """The cache of a URL, as computed in Python."""
        return trafficserver.owner(caches, f"http://{self.origin.endpoint}{path}".encode()).name

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
