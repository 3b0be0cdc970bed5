"""No value that a user can set escapes from its place in a file.

Zone names, colos, upstream addresses, vendors and regions are hostile here. Each is rejected before
anything is written, or the file has the same lines and members as with harmless values.
"""

import csv
import io
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.errors import OriginmapError
from originmap.domain.mapping.mapping import Place
from originmap.domain.tier.topology import Colo, Topology
from originmap.domain.tier.topology_problems import check
from originmap.domain.zone.zone import Zone
from originmap.export.endpoint import read
from originmap.export.format import File, Format
from originmap.export.formats import FORMATS, format_called
from originmap.export.node import Node
from tests.export.samples import VIRGINIA, export, node

CODE, NAME, IP = "[a-z0-9]{2,10}", r"[a-z0-9.-]+\.[a-z0-9-]+", r"192\.0\.2\.[12]"
CHAIN = f"originmap(?:_{CODE})+"
HOST = r"(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)"
KEY = f"{NAME}/{IP}"

# Each line of a file must fully match one of these.
LINES = {
    "originmap.conf": [
        f"upstream {CHAIN} {{",
        rf"    server {HOST}:\d+(?: backup)?;",
        r'map "\$originmap_zone/\$originmap_ip" \$originmap_upstream \{',
        r"map \$originmap_(?:zone \$originmap_default|upstream \$originmap_fill) \{",
        r'    default (?:""|\$originmap_default|\$originmap_upstream);',
        r'    "" \$originmap_origin;',
        f'    "{KEY}" (?:{CHAIN}|"");',
        f"    {NAME} {CHAIN};",
        r"\}",
    ],
    "originmap.map": [
        f"{NAME} (?:{CHAIN}|originmap-origin)",
        f"{KEY} (?:{CHAIN}|originmap-origin)",
    ],
    "originmap.cfg": [
        f"backend {CHAIN}",
        rf"    server {CODE} {HOST}:\d+ check(?: backup)?",
        "",
    ],
    "originmap.vcl": [
        r"vcl 4\.1;",
        "import (?:directors|std);",
        f"backend originmap_b_{CODE} {{",
        r'    \.host = "[a-z0-9.:-]+";',
        r'    \.port = "\d+";',
        r"    \.probe = originmap_probe;",
        f"sub (?:vcl_init|originmap_choose|originmap_z_1{{32}}|originmap_fill(?:_{CODE})+) \\{{",
        f"    new originmap_d(?:_{CODE})+ = directors.fallback\\(\\);",
        rf"    originmap_d(?:_{CODE})+\.add_backend\(originmap_b_{CODE}\);",
        rf"acl originmap_a_1{{32}}(?:_{CODE})* \+table {{",
        f'    "{IP}";',
        r'    if \(std\.ip\(req\.http\.X-Originmap-IP, "0\.0\.0\.0"\) '
        r"~ originmap_a_1{32}\w*\) \{",
        r"    \} else \{",
        r"    \{",
        f"        call originmap_fill(?:_{CODE})+;",
        rf"    set req\.backend_hint = originmap_d(?:_{CODE})+\.backend\(\);",
        f'    if \\(req\\.http\\.X-Originmap-Zone == "{NAME}"\\) {{',
        "        call originmap_z_1{32};",
        r" {0,4}\}",
        "",
    ],
    "parent.config": [
        f"dest_(?:ip={IP}|domain={NAME}) go_direct=true",
        rf'dest_(?:ip={IP}|domain={NAME}) parent="{HOST}:\d+(?:;{HOST}:\d+)*" '
        "round_robin=false go_direct=true",
    ],
    "strategies.yaml": [
        "(?:hosts|groups|strategies|    groups|    protocol|          protocol):",
        f"  - &originmap_[hg]_{CODE}",
        "(?:    |      - - )host: '[a-z0-9.:-]+'",
        r" +- port: \d+",
        f"    - <<: \\*originmap_h_{CODE}",
        r" +weight: 1\.0",
        f"  - strategy: '{KEY}'",
        "    (?:policy: first_live|go_direct: true|parent_is_proxy: false)",
        rf"      - \*originmap_g_{CODE}",
    ],
}


def is_lines(name: str) -> Callable[[bytes, Place], None]:
    def look(made: bytes, place: Place) -> None:
        text = made.decode("ascii")
        assert text.endswith("\n") or not text
        for line in text.split("\n")[:-1]:
            assert any(re.fullmatch(known, line) for known in LINES[name]), line

    return look


def is_csv(made: bytes, place: Place) -> None:
    rows = list(csv.reader(io.StringIO(made.decode(), newline="")))
    assert [row[1] for row in rows] == ["origin_ip", "192.0.2.1", "192.0.2.2"]
    assert {tuple(row[2:4]) for row in rows[1:]} == {VIRGINIA, place}
    assert {len(row) for row in rows} == {7}


def is_json_lines(made: bytes, place: Place) -> None:
    rows = [json.loads(line) for line in made.split(b"\n")[:-1]]
    assert [row["origin_ip"] for row in rows] == ["192.0.2.1", "192.0.2.2"]
    assert {(row["vendor"], row["region"]) for row in rows} == {VIRGINIA, place}


def is_mmdb(made: bytes, place: Place) -> None:
    with maxminddb.open_database(io.BytesIO(made), maxminddb.MODE_FD) as database:
        found: list[Any] = [database.get(ip) for ip in ("192.0.2.1", "192.0.2.2")]
    assert [(row["vendor"], row["region"]) for row in found] == [VIRGINIA, place]


def is_resources(made: bytes, place: Place) -> None:
    document = json.loads(made)
    assert list(document) == ["resources"]
    for resource in document["resources"]:
        assert resource["@type"].startswith("type.googleapis.com/envoy.config.")
        if "virtual_hosts" in resource:
            assert len(resource["virtual_hosts"]) == 2
        else:
            chain = resource.get("name", resource.get("cluster_name"))
            assert re.fullmatch(CHAIN, chain)


def is_endpoints(made: bytes, place: Place) -> None:
    is_resources(made, place)
    (cluster,) = json.loads(made)["resources"]
    for part in cluster["endpoints"]:
        (endpoint,) = part["lb_endpoints"]
        address = endpoint["endpoint"]["address"]["socket_address"]["address"]
        assert ipaddress.ip_address(address)


LOOKS = {
    ("nginx", "originmap.conf"): is_lines("originmap.conf"),
    ("haproxy", "originmap.map"): is_lines("originmap.map"),
    ("haproxy", "originmap.cfg"): is_lines("originmap.cfg"),
    ("varnish", "originmap.vcl"): is_lines("originmap.vcl"),
    ("trafficserver", "parent.config"): is_lines("parent.config"),
    ("trafficserver", "strategies.yaml"): is_lines("strategies.yaml"),
    ("envoy", "cds.json"): is_resources,
    ("envoy", "eds/NAME.json"): is_endpoints,
    ("envoy", "rds.json"): is_resources,
    ("mmdb", "originmap.mmdb"): is_mmdb,
    ("csv", "originmap.csv"): is_csv,
    ("json", "originmap.jsonl"): is_json_lines,
}

BREAKS = [
    'a.b"; }',
    "a.b\nx",
    "a.b {",
    "a.b;c",
    "a.b'",
    "a.b c",
    "default",
    "~.*",
    "a.b/1.2.3.4",
    "A.B",
]
HOSTILE = st.one_of(
    st.sampled_from(BREAKS),
    st.text(max_size=12),
    st.text("\"'`;{}[]()\n\r\t\\$#<>&|,=:/ \0\u2028\u00e9*~%abcA0-._", max_size=16),
)
ADDRESS = st.one_of(
    HOSTILE,
    HOSTILE.map(lambda text: f"IAD={text}:80"),
    HOSTILE.map(lambda text: f"IAD=[{text}]:80"),
    HOSTILE.map(lambda text: f"IAD=a.example:80{text}"),
    HOSTILE.map(lambda text: f"{text}.{{colo}}.{text}:80"),
)
HARMLESS = {
    "zone": "example.com",
    "code": "IAD",
    "country": "US",
    "upstream": "IAD=192.0.2.20:80",
    "place": VIRGINIA,
}


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """The settings of a user, only one of them hostile, because the first rejected one ends it."""
    hostile = {
        "zone": HOSTILE,
        "code": HOSTILE,
        "country": HOSTILE,
        "upstream": ADDRESS,
        "place": st.builds(Place, HOSTILE, HOSTILE),
    }
    part = draw(st.sampled_from(sorted(hostile)))
    return HARMLESS | {part: draw(hostile[part])}


@pytest.mark.parametrize(("name", "file"), LOOKS)
@given(settings())
def test_hostile_input_is_rejected_or_stays_inside_its_value(
    name: str, file: str, set_: dict[str, Any]
) -> None:
    zone, code, country, place = (set_[key] for key in ("zone", "code", "country", "place"))
    colos = (Colo(code, country, country, 38.9, -77.5), Colo("FRA", "x", country, 50.0, 8.6))
    known = format_called(name)
    try:
        check(Topology(colos))
        endpoints = read(["{colo}.example:80", "FRA=192.0.2.21:80", set_["upstream"]])
        zones = [Zone("1" * 32, zone, "account", 1, 1)]
        made_for = node(None, zones=zones, colos=colos, endpoints=endpoints)
        if known.upstreams:
            made_for.check_endpoints()
    except OriginmapError:
        return
    origins = {"192.0.2.1": VIRGINIA, "192.0.2.2": place}
    for each in files_called(known, file, made_for):
        LOOKS[name, file](export(each, made_for, {zone: origins}), place)


def files_called(known: Format, name: str, made_for: Node) -> list[File]:
    """The file with this name, or all files of the family."""
    if known.family is None or name != known.family.name:
        return [known.file(name, made_for)]
    files = known.family.files(made_for)
    for file in files:
        assert re.fullmatch(f"eds/{CHAIN}\\.json", file.name)
    return [*files]


def test_every_file_of_every_format_is_tested() -> None:
    assert set(LOOKS) == {(known.name, name) for known in FORMATS for name in known.names}


@given(HOSTILE)
def test_a_colo_that_is_not_in_the_topology_gets_no_file(code: str) -> None:
    if code not in ("IAD", "FRA", "NRT", "SIN"):
        with pytest.raises(OriginmapError):
            node(code)


@pytest.mark.parametrize("form", [each.name for each in FORMATS])
def test_files_contain_zone_names_as_a_labels(form: str) -> None:
    plain = Zone("1" * 32, "xn--bcher-kva.example", "account", 1, 1)
    shown = replace(plain, unicode_name='bücher.example"; }')
    each = format_called(form)
    origins = {"192.0.2.1": VIRGINIA}
    endpoints = read(["{colo}.example:80"])
    made = []
    for zone in (plain, shown):
        made_for = node("SIN", zones=[zone], endpoints=endpoints)
        files = [file for file in each.files if isinstance(file, File)]
        made.append([export(file, made_for, {zone.name: origins}) for file in files])
    assert made[0] == made[1]
