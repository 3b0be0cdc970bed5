"""Varnish, with a probe, a backend for the origin, and a vcl_recv that calls originmap_choose."""

from pathlib import Path

from tests.caches.programs.cache import IP, ZONE, Cache, found


class Varnish(Cache):
    """Reloaded by loading the VCL under another name, with Varnish's default compiler."""

    format = "varnish"
    compiler = "cc -O0 -pthread -fpic"
    lookup = "pass"

    @property
    def _vcl(self) -> Path:
        return self.folder / "site.vcl"

    def check_installed(self) -> None:
        found("varnishd", "varnishadm", self.compiler.split()[0])

    def prepare(self) -> None:
        self._loads = 0
        self._vcl.write_text(f"""
vcl 4.1;
probe originmap_probe {{
    .url = "/";
    .interval = 0.2s;
    .window = 2;
    .threshold = 2;
    .initial = 2;
}}
backend origin {{
    .host = "{self.origin.host}";
    .port = "{self.origin.port}";
}}
include "{self.folder}/originmap.vcl";
sub vcl_recv {{
    set req.backend_hint = origin;
    set req.http.X-Originmap-Zone = "{ZONE}";
    set req.http.X-Originmap-IP = "{IP}";
    call originmap_choose;
    return ({self.lookup});
}}
""")

    def command(self) -> list[str]:
        work, listen = str(self.folder / "work"), f"127.0.0.1:{self.port}"
        jail = ["-j", "none"]
        return [
            "varnishd", *jail, "-F", "-n", work, "-a", listen, "-s", "malloc,16m",
            "-f", str(self._vcl), "-p", "vcc_err_unref=on",
            "-p", f"cc_command=exec {self.compiler} -shared -o %o %s",
        ]  # fmt: skip

    def reload(self) -> None:
        self._loads += 1
        name, work = f"site{self._loads}", str(self.folder / "work")
        self.run("varnishadm", "-n", work, "vcl.load", name, str(self._vcl))
        self.run("varnishadm", "-n", work, "vcl.use", name)

    def duty(self) -> list[str]:
        script = "/usr/share/varnish/varnishreload"
        return [
            "--write", f"varnish={self.folder}/originmap.vcl",
            "--reload", f"{script} -m 2 -n {self.folder}/work {self._vcl}",
        ]  # fmt: skip


class VarnishByTCC(Varnish):
    """Varnish with VCL compiled by tcc."""

    compiler = "tcc"
