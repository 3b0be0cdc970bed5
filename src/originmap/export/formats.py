"""The table of formats."""

from functools import partial

from originmap.domain.errors import InvalidExport
from originmap.export import csv, envoy, haproxy, json, mmdb, nginx, trafficserver, varnish
from originmap.export.format import Family, File, Format
from originmap.export.node import Node

_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"


def _endpoints(node: Node) -> tuple[File, ...]:
    """A file for each cluster, because Envoy accepts only one cluster's endpoints in a file."""
    return tuple(
        File(f"eds/{name}.json", _JSON, partial(envoy.Assignments, names=[name]), of_mappings=False)
        for name in envoy.on_addresses(node)
    )


FORMATS = (
    Format(
        "nginx",
        "Export for nginx: a map from origins to upstreams, and the upstreams.",
        (File("originmap.conf", _TEXT, nginx.Nginx, blank_lines=True),),
    ),
    Format(
        "haproxy",
        "Export for HAProxy: a map file from origins to backends, and the backends.",
        (
            File("originmap.map", _TEXT, haproxy.MapFile, blank_lines=True),
            File("originmap.cfg", _TEXT, haproxy.Backends, of_mappings=False),
        ),
        of_addresses=True,
    ),
    Format(
        "varnish",
        "Export for Varnish: VCL with backends and fallback directors.",
        (File("originmap.vcl", _TEXT, varnish.Varnish, blank_lines=True),),
        of_addresses=True,
    ),
    Format(
        "trafficserver",
        "Export for Apache Traffic Server: parent.config and strategies.yaml.",
        (
            File("parent.config", _TEXT, trafficserver.ParentConfig),
            File("strategies.yaml", _TEXT, trafficserver.Strategies, blank_lines=True),
        ),
    ),
    Format(
        "envoy",
        "Export for Envoy: clusters, endpoints and routes as files.",
        (
            File("cds.json", _JSON, envoy.Clusters, of_mappings=False),
            File("rds.json", _JSON, envoy.Routes, blank_lines=True),
        ),
        family=Family(
            "eds/NAME.json",
            "eds/NAME.json exists only for a cluster whose upstream addresses are IP addresses",
            _endpoints,
        ),
    ),
    Format(
        "mmdb",
        "Export as MMDB, for MaxMind readers: address to region, upper tier and fallbacks.",
        (File("originmap.mmdb", "application/octet-stream", mmdb.MMDB),),
        upstreams=False,
    ),
    Format(
        "csv",
        "Export as CSV: a line per mapping.",
        (File("originmap.csv", "text/csv; charset=utf-8; header=present", csv.CSV),),
        upstreams=False,
    ),
    Format(
        "json",
        "Export as JSON Lines: a line per mapping.",
        (File("originmap.jsonl", "application/x-ndjson", json.JSONLines),),
        upstreams=False,
    ),
)


def format_called(name: str) -> Format:
    """The format of this name. Raises InvalidExport."""
    for each in FORMATS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in FORMATS)
    raise InvalidExport(f"there is no format {name}: choose one of {names}")
