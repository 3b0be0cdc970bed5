"""nginx, with a site that fills through $originmap_fill."""

import os
import signal

from tests.caches.programs.cache import IP, ZONE, Cache, found


class Nginx(Cache):
    """Reloaded by SIGHUP."""

    format = "nginx"

    def check_installed(self) -> None:
        found("nginx")

    def prepare(self) -> None:
        temp = "\n".join(
            f"{kind}_temp_path {self.folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(f"""
{"user root;" if os.getuid() == 0 else ""}
daemon off;
pid {self.folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {temp}
    map_hash_bucket_size 512;
    include {self.folder}/originmap.conf;
    server {{
        listen 127.0.0.1:{self.port};
{self.site()}
    }}
}}
""")

    def site(self) -> str:
        """The part of the server block that fills."""
        return f"""
        set $originmap_zone {ZONE};
        set $originmap_ip {IP};
        set $originmap_origin {self.origin.endpoint};
        location / {{
            proxy_connect_timeout 1s;
            proxy_pass http://$originmap_fill;
        }}
"""

    def command(self) -> list[str]:
        return ["nginx", "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]

    def reload(self) -> None:
        self.signal(signal.SIGHUP)

    def duty(self) -> list[str]:
        config = f"-c {self.folder}/nginx.conf -e stderr"
        return [
            "--write", f"nginx={self.folder}/originmap.conf",
            "--check", f"nginx -t -q {config}",
            "--reload", f"nginx -s reload {config}",
        ]  # fmt: skip
