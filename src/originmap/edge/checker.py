"""Each cache's own checker, on new files that stand alone, before they are in place.

The files are included by a small configuration made here, in a folder of its own, so that nothing
of the running cache is touched. What they do not see is the operator's own configuration: for that
there is a check in place, which the operator gives.
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
"""Some checkers run as another user in part, whatever a service's own umask hides from others."""
_STRATEGY = re.compile(r"^  - strategy: '([^']+)'$", re.MULTILINE)

Files = Mapping[str, Path]
"""The new files, by their names in the format."""


@dataclass(frozen=True, slots=True)
class Checker:
    """A program, and how it is told to check: what it needs is written into a folder. `enough` is
    what it says where it came as far as it is meant to, by the folder, though it fails then."""

    program: str
    arguments: Callable[[Files, Path], list[str]]
    enough: Callable[[Path], str] | None = None


def checker_of(format_: str, environment: Mapping[str, str]) -> Checker | None:
    """The checker of a format, None where it has none. Raises CheckerMissing."""
    checker = _CHECKERS.get(format_)
    if checker is not None and not shutil.which(checker.program, path=environment.get("PATH")):
        raise CheckerMissing(format_, checker.program)
    return checker


def check(checker: Checker, files: Files, environment: Mapping[str, str]) -> None:
    """Check new files. Raises CommandFailed, TemporaryUnwritable."""
    with _folder() as folder:
        # The folder has another name each time, which would make each failure look like a new one.
        named = f"{checker.program} on the new files"
        try:
            arguments = checker.arguments(files, folder)
            for path in folder.iterdir():
                path.chmod(0o644)
            run(Command((checker.program, *arguments)), environment, umask=_UMASK)
        except (ValueError, KeyError) as error:
            raise CommandFailed(named, f"they are not what it reads: {error}") from None
        except CommandFailed as error:
            if checker.enough is not None and checker.enough(folder) in error.said:
                return
            said = error.said.replace(f"{folder}/", "")
            raise CommandFailed(named, error.reason, said) from None


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
    """VCL becomes C and that a library; the first step finds all that can be wrong with a file, the
    second takes most of the time. VCL is read as another user, who may not see the folder of the
    new file."""
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
    instead = f"cc_command=echo '{_is_c_now(folder)}'; exit 1"
    return ["-p", instead, "-C", "-n", str(folder / "work"), "-f", str(config)]


def _is_c_now(folder: Path) -> str:
    """What is said in place of the C compiler's step. The name, new each time, keeps a file from
    having it in a line that an error quotes."""
    return f"C was made: {folder.name}"


def _trafficserver(files: Files, folder: Path) -> list[str]:
    """Strategies are read with the rules that name them, by another user. parent.config it does
    not look at."""
    named = _STRATEGY.search(files["strategies.yaml"].read_text("utf-8"))
    strategy = f" @strategy={named[1]}" if named else ""
    (folder / "remap.config").write_text(f"map http://check.test/ http://192.0.2.1/{strategy}\n")
    (folder / "plugin.config").touch()
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
    return ["-C", "verify_config", "-D", str(folder)]


def _envoy(files: Files, folder: Path) -> list[str]:
    """Envoy looks at no file that a bootstrap leads to, so all is put into one, the routes into a
    listener."""
    clusters = [_plain(item) for item in _resources(files["cds.json"])]
    (routes,) = (_plain(item) for item in _resources(files["rds.json"]))
    for name, path in files.items():
        if name.startswith("eds/"):
            # Of a file that it watches, Envoy takes one cluster's endpoints.
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


def _resources(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["resources"]
    return found


def _plain(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "@type"}


def _endpoints(assignment: dict[str, Any]) -> dict[str, Any]:
    """A cluster with these endpoints, under another name than that of cds.json, and of a type that
    takes addresses alone, as EDS does."""
    name = assignment["cluster_name"] + "_eds"
    return {"name": name, "type": "STATIC", "load_assignment": assignment}


_CHECKERS = {
    "nginx": Checker("nginx", _nginx),
    "haproxy": Checker("haproxy", _haproxy),
    "varnish": Checker("varnishd", _varnish, _is_c_now),
    "trafficserver": Checker("traffic_server", _trafficserver),
    "envoy": Checker("envoy", _envoy),
}
"""By format; the others are read by programs of which none checks."""
