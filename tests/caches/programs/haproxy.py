"""HAProxy, with a frontend that selects its backend with our map."""

import signal

from tests.caches.programs.cache import IP, ZONE, Cache, found


class HAProxy(Cache):
    """Reloaded by SIGUSR2 to its master process."""

    format = "haproxy"
    siblings = ""
    """Lines of the frontend for a colo with several caches."""

    def check_installed(self) -> None:
        found("haproxy")

    def prepare(self) -> None:
        path = self.folder / "originmap.map"
        (self.folder / "haproxy.cfg").write_text(f"""
global
    stats socket {self.folder}/admin.sock level admin

defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    option redispatch 1
    default-server inter 200ms fall 1 rise 1

frontend site
    bind 127.0.0.1:{self.port}
    http-request set-var(txn.zone) str({ZONE})
    http-request set-var(txn.ip) str({IP})
    http-request set-var(txn.key) var(txn.zone),concat(/,txn.ip)
    http-request set-var(txn.fill) var(txn.zone),map_str({path},originmap-origin)
    http-request set-var(txn.fill) var(txn.key),map_str({path}) \
        if {{ var(txn.key),map_str({path}) -m found }}
{self.siblings}    use_backend %[var(txn.fill)]

backend originmap-origin
    http-request del-header X-Originmap-Colo
    server origin {self.origin.endpoint}
""")

    def _files(self) -> list[str]:
        names = ("haproxy.cfg", "originmap.cfg")
        return [part for name in names for part in ("-f", str(self.folder / name))]

    def command(self) -> list[str]:
        return ["haproxy", "-W", "-p", str(self.folder / "pid"), *self._files()]

    def reload(self) -> None:
        self.signal(signal.SIGUSR2)

    def duty(self) -> list[str]:
        return [
            "--write", f"haproxy={self.folder}",
            "--check", f"haproxy -c -q {' '.join(self._files())}",
            "--reload", f"sh -c 'kill -USR2 $(cat {self.folder}/pid)'",
            "--runtime", f"{self.folder}/admin.sock",
        ]  # fmt: skip
