"""A hot URL of a load-balancing pool is fetched from the origin once, by its one upper tier."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from originmap.domain.zone.pool import Pool
from originmap.export.endpoint import read
from originmap.export.formats import format_called
from tests.caches.network import free_port
from tests.caches.programs.cache import ZONE
from tests.caches.programs.nginx import Nginx
from tests.caches.shared.crowd import Crowd
from tests.export.samples import COLOS, FRANKFURT, VIRGINIA, ZONES, export, node

ORIGINS = {"192.0.2.1": VIRGINIA, "192.0.2.2": FRANKFURT}
UPPER_TIERS = ("IAD", "FRA")


class StoringNginx(Nginx):
    """An edge, and upper tiers that store responses, in one process. The edge takes the origin's
    address from a header."""

    ports: dict[str, int]

    def prepare(self) -> None:
        super().prepare()
        file = self.folder / "nginx.conf"
        head, _, rest = file.read_text().partition("    server {")
        cache = f"    proxy_cache_path {self.folder}/stored keys_zone=stored:1m;\n"
        upper = "".join(map(self._upper_tier, UPPER_TIERS))
        file.write_text(f"{head}{cache}{upper}    server {{{rest}")
        (self.folder / "stored").mkdir()
        if os.getuid() == 0:
            (self.folder / "stored").chmod(0o777)

    def site(self) -> str:
        return f"""
        set $originmap_zone {ZONE};
        set $originmap_ip $http_x_origin;
        set $originmap_origin {self.origin.endpoint};
        location / {{
            proxy_set_header Host $host;
            proxy_pass http://$originmap_fill;
        }}
"""

    def _upper_tier(self, code: str) -> str:
        return f"""
    server {{
        listen 127.0.0.1:{self.ports[code]};
        location / {{
            proxy_cache stored;
            proxy_cache_key {code}$host$request_uri;
            proxy_cache_valid 200 1h;
            proxy_cache_lock on;
            proxy_ignore_headers Cache-Control;
            proxy_pass http://{self.origin.endpoint};
        }}
    }}
"""


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with Crowd({"origin": "127.0.3.1"}) as crowd:
        yield crowd


@pytest.mark.parametrize(("pools", "fetches"), [((), 2), (("web",), 1)])
def test_a_hot_url_of_a_pool_is_fetched_once(
    crowd: Crowd, tmp_path: Path, pools: tuple[str, ...], fetches: int
) -> None:
    zone = replace(ZONES[0], pools=tuple(Pool(name, tuple(ORIGINS)) for name in pools))
    with StoringNginx(tmp_path, crowd) as cache:
        cache.ports = {code: free_port() for code in UPPER_TIERS}
        endpoints = read([f"{code}=127.0.0.1:{port}" for code, port in cache.ports.items()])
        colos = [colo for colo in COLOS if colo.code != "NRT"]
        of = node(zones=[zone], colos=colos, endpoints=endpoints, places=(VIRGINIA, FRANKFURT))
        files = format_called("nginx").files
        cache.load({file.name: export(file, of, {ZONE: ORIGINS}) for file in files})
        cache.headers = {"x-origin": "192.0.2.1"}
        cache.comes_to("origin ")
        before = crowd["origin"].requests
        for _ in range(10):
            for address in ORIGINS:
                headers = {"host": ZONE, "x-origin": address}
                answer = httpx.get(f"{cache.url}/hot", headers=headers)
                assert answer.text == "origin "
        assert crowd["origin"].requests - before == fetches
