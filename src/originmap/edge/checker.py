"""Runs each cache's own checker on new files, before they are put in place.

A small generated configuration in a temporary folder includes the files, so the running cache is
not affected. The operator's own configuration is not part of this check; the operator's --check
command, which runs with the files in place, covers it.
"""

import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from originmap.edge.command import Command, run
from originmap.edge.errors import CheckerMissing, CommandFailed, TemporaryUnwritable

_ENVOY = "type.googleapis.com/envoy."
_UMASK = 0o022
"""Some checkers drop to another user, so a stricter umask of the service must not apply."""
_STRATEGY = re.compile(r"^  - strategy: '([^']+)'$", re.MULTILINE)

Files = Mapping[str, Path]
"""The new files, by their name in the format."""


@dataclass(frozen=True, slots=True)
class Checker:
    """A program with a function that writes its input into a folder and returns its arguments.
    `enough` returns, for the folder, the output that means success although the program fails."""

    program: str
    arguments: Callable[[Files, Path], list[str]]
    enough: Callable[[Path], str] | None = None


def checker_of(format_: str, environment: Mapping[str, str]) -> Checker | None:
    """The checker of a format, or None. Raises CheckerMissing if it is not installed."""
    checker = _CHECKERS.get(format_)
    if checker is not None and not shutil.which(checker.program, path=environment.get("PATH")):
        raise CheckerMissing(format_, checker.program)
    return checker


def check(checker: Checker, files: Files, environment: Mapping[str, str]) -> None:
    """Check new files. Raises CommandFailed, TemporaryUnwritable."""
    with _folder() as folder:
        # No folder name in the message: it is random, so each failure would look like a new one.
        command = f"{checker.program} on the new files"
        try:
            arguments = checker.arguments(files, folder)
            for path in folder.iterdir():
                path.chmod(0o644)
            run(Command((checker.program, *arguments)), environment, umask=_UMASK)
        except (ValueError, KeyError) as error:
            raise CommandFailed(command, f"the files cannot be parsed: {error}") from None
        except CommandFailed as error:
            if checker.enough is not None and checker.enough(folder) in error.output:
                return
            output = error.output.replace(f"{folder}/", "")
            raise CommandFailed(command, error.reason, output) from None


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="originmap-check-") as name:
            Path(name).chmod(0o755)
            yield Path(name)
    except OSError as error:
        raise TemporaryUnwritable(error) from error


def _nginx(files: Files, folder: Path) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(f"""
pid {folder}/nginx.pid;
events {{}}
http {{
    {temporary}
    access_log off;
    map_hash_bucket_size 512;
    map_hash_max_size 65536;
    include "{files["originmap.conf"]}";
    server {{
        listen unix:{folder}/socket;
        set $originmap_zone "";
        set $originmap_ip "";
        set $originmap_origin 192.0.2.1:80;
        set $originmap_siblings on;
        location / {{ proxy_pass http://$originmap_fill; }}
    }}
}}
""")
    return ["-t", "-q", "-c", str(config), "-e", "stderr"]


def _haproxy(files: Files, folder: Path) -> list[str]:
    config = folder / "haproxy.cfg"
    path = _quoted(files["originmap.map"])
    config.write_text(f"""
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend check
    bind unix@{folder}/socket
    use_backend %[path,map_str({path},originmap-origin)]
backend originmap-origin
    server origin 192.0.2.1:80
""")
    return ["-c", "-q", "-f", str(config), "-f", str(files["originmap.cfg"])]


def _quoted(path: Path) -> str:
    return re.sub(r"([\\ \"'#,()])", r"\\\1", str(path))


def _varnish(files: Files, folder: Path) -> list[str]:
    """Varnish compiles VCL to C, then C to a library. The first step detects every error of a file
    and the second takes most of the time, so it is replaced. VCL is read as another user, without
    access to the folder of the new file."""
    config, copy = folder / "check.vcl", folder / "originmap.vcl"
    shutil.copyfile(files["originmap.vcl"], copy)
    config.write_text(f"""
vcl 4.1;
probe originmap_probe {{ .url = "/"; }}
backend origin {{ .host = "192.0.2.1"; }}
include "{copy}";
sub vcl_recv {{
    set req.backend_hint = origin;
    call originmap_choose;
}}
""")
    no_compiler = f"cc_command=echo '{_compiled_marker(folder)}'; exit 1"
    return ["-p", no_compiler, "-C", "-n", str(folder / "work"), "-f", str(config)]


def _compiled_marker(folder: Path) -> str:
    """The output in place of the C compiler. It has the random name of the folder, so that a line
    of the checked file, quoted in an error, cannot contain it."""
    return f"compiled to C: {folder.name}"


def _trafficserver(files: Files, folder: Path) -> list[str]:
    """Traffic Server reads strategies only for rules that use them, as another user. It does not
    check parent.config."""
    match = _STRATEGY.search(files["strategies.yaml"].read_text("utf-8"))
    strategy = f" @strategy={match[1]}" if match else ""
    (folder / "remap.config").write_text(f"map http://check.test/ http://192.0.2.1/{strategy}\n")
    (folder / "plugin.config").touch()
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
    return ["-C", "verify_config", "-D", str(folder)]


def _envoy(files: Files, folder: Path) -> list[str]:
    """Envoy validates only the bootstrap itself, not the files that it refers to. So everything is
    put into one file, the routes into a listener."""
    clusters = [_plain(item) for item in _resources(files["cds.json"])]
    (routes,) = (_plain(item) for item in _resources(files["rds.json"]))
    for name, path in files.items():
        if name.startswith("eds/"):
            # Envoy expects the endpoints of one cluster in each watched file.
            (endpoints,) = (_plain(item) for item in _resources(path))
            clusters.append(_endpoints(endpoints))
    router = {"@type": _ENVOY + "extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": _ENVOY + "extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "check",
        "route_config": {**routes, "validate_clusters": True},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    name = "envoy.filters.network.http_connection_manager"
    listener = {
        "name": "check",
        "address": {"pipe": {"path": f"{folder}/socket"}},
        "filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}],
    }
    clusters.append({"name": "originmap-origin", "type": "STATIC"})
    config = folder / "envoy.json"
    resources = {"clusters": clusters, "listeners": [listener]}
    config.write_text(json.dumps({"static_resources": resources}))
    return ["--mode", "validate", "--log-level", "warning", "-c", str(config)]


def _resources(path: Path) -> list[dict[str, object]]:
    resources: list[dict[str, object]] = json.loads(path.read_bytes())["resources"]
    return resources


def _plain(resource: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in resource.items() if name != "@type"}


def _endpoints(assignment: dict[str, Any]) -> dict[str, Any]:
    """A cluster with these endpoints. Its name differs from the one in cds.json, and its type
    accepts only addresses, as EDS does."""
    name = assignment["cluster_name"] + "_eds"
    return {"name": name, "type": "STATIC", "load_assignment": assignment}


_CHECKERS = {
    "nginx": Checker("nginx", _nginx),
    "haproxy": Checker("haproxy", _haproxy),
    "varnish": Checker("varnishd", _varnish, _compiled_marker),
    "trafficserver": Checker("traffic_server", _trafficserver),
    "envoy": Checker("envoy", _envoy),
}
"""Checkers by format; the programs for the other formats have no check."""
