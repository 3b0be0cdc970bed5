"""nginx, with a site for colos with several caches, as in docs/exports.md."""

from tests.caches.programs.cache import IP, ZONE
from tests.caches.programs.nginx import Nginx


class SharedNginx(Nginx):
    """Fills from the next colo if no cache of the first answers."""

    def site(self) -> str:
        return f"""
        set $originmap_zone {ZONE};
        set $originmap_ip {IP};
        set $originmap_origin {self.origin.endpoint};
        set $originmap_siblings on;
        proxy_connect_timeout 1s;
        location / {{
            proxy_set_header Host $host;
            proxy_set_header X-Originmap-Colo $originmap_colo;
            error_page 502 504 = @originmap_2;
            proxy_pass http://$originmap_fill;
        }}
        location @originmap_2 {{
            proxy_set_header Host $host;
            proxy_set_header X-Originmap-Colo $originmap_colo_2;
            proxy_pass http://$originmap_fill_2;
        }}
"""
