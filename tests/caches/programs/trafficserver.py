"""Traffic Server, with a site that uses parent.config and one that uses strategies.yaml."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.caches.network import Machine
from tests.caches.programs.cache import IP, ZONE, Cache, found

BY_PARENT, BY_STRATEGY = "parent.test", "strategy.test"
_USER = "trafficserver"  # from Debian's package; the server does not run as root


class TrafficServer(Cache):
    """Reloaded by traffic_ctl; an agent wakes its manager."""

    format = "trafficserver"

    def __init__(self, folder: Path, machines: Mapping[str, Machine]) -> None:
        super().__init__(folder, machines)
        found("traffic_manager", "traffic_ctl")
        # Its user has no access to pytest's folders.
        self.folder = Path(tempfile.mkdtemp(prefix="originmap-ats-"))
        self.folder.chmod(0o755)

    def check_installed(self) -> None:
        pass  # Traffic Server requires it when the folder is created

    def prepare(self) -> None:
        (self.folder / "runroot.yaml").write_text(f"""
prefix: {self.folder}
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {self.folder}
datadir: {self.folder}
includedir: {self.folder}
libdir: /usr/lib
libexecdir: /usr/lib/trafficserver/modules
localstatedir: {self.folder}
runtimedir: {self.folder}
logdir: {self.folder}
mandir: {self.folder}
infodir: {self.folder}
cachedir: {self.folder}
""")
        user = _USER if os.getuid() == 0 else "#-1"
        (self.folder / "records.config").write_text(f"""
CONFIG proxy.config.http.server_ports STRING {self.port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING {user}
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.lm.pserver_timeout_secs INT 0
CONFIG proxy.config.lm.pserver_timeout_msecs INT 100
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.config_update_interval_ms INT 100
CONFIG proxy.config.http.parent_proxy.connect_attempts_timeout INT 1
CONFIG proxy.config.http.parent_proxy.fail_threshold INT 1
CONFIG proxy.config.http.connect_attempts_timeout INT 1
CONFIG proxy.config.http.down_server.cache_time INT 1
""")
        (self.folder / "storage.config").write_text(f"{self.folder} 32M\n")
        (self.folder / "ip_allow.yaml").write_text(
            "ip_allow:\n  - {apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL}\n"
        )
        (self.folder / "remap.config").write_text(
            f"map http://{BY_PARENT}/ http://{self.origin.endpoint}/\n"
            f"map http://{BY_STRATEGY}/ http://{self.origin.endpoint}/ @strategy={ZONE}/{IP}\n"
        )
        if os.getuid() == 0:
            uid = pwd.getpwnam(_USER).pw_uid
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, uid, -1)

    def command(self) -> list[str]:
        return ["traffic_manager", f"--run-root={self.folder}/runroot.yaml"]

    def reload(self) -> None:
        # Strategies are reloaded with the rules that name them, if their file is newer.
        (self.folder / "remap.config").touch()
        self.run("traffic_ctl", f"--run-root={self.folder}/runroot.yaml", "config", "reload")

    def duty(self) -> list[str]:
        return [
            "--write", f"trafficserver={self.folder}",
            "--reload", f"touch {self.folder}/remap.config",
            "--reload", f"traffic_ctl --run-root={self.folder}/runroot.yaml config reload",
            "--traffic-manager", f"{self.folder}/manager.lock",
        ]  # fmt: skip

    def comes_to(self, name: str, host: str = BY_PARENT) -> None:
        """Requests by parent.config and by its strategy; a strategy fills from the origin on port
        80, where only root can listen.
        """
        super().comes_to(name, host)
        if name != "origin":
            super().comes_to(name, BY_STRATEGY)

    def __exit__(self, *of: object) -> None:
        super().__exit__(None, None, None)
        shutil.rmtree(self.folder)
