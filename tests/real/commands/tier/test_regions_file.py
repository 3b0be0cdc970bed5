"""Regions that an operator adds, in every command and in the server."""

from pathlib import Path

import httpx
import pytest

from originmap.data.regions_file import UnusableRegions, read_regions
from originmap.domain.mapping.catalogue import RegionStatus
from tests.process import BEARER, ZONE, Server
from tests.real.command import output, refusal, rows, run

HEAD = "vendor,region,latitude,longitude"
ROW = "oci,ap-example-1,28.6519,77.2315"
VENDORS = ("aws", "azure", "gcp", "oci")


def _file(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "regions.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16"])
def test_omitted_columns_of_a_regions_file_have_defaults(tmp_path: Path, form: str) -> None:
    full = f"{HEAD},title,city,country,status\r\n{ROW},Title é,Delhi,IN,gov\r\n\r\n"
    (region,) = read_regions(_file(tmp_path, full.encode(form)), VENDORS)
    assert (region.title, region.city, region.country) == ("Title é", "Delhi", "IN")
    assert region.status is RegionStatus.GOV
    (short,) = read_regions(_file(tmp_path, f"{HEAD}\n{ROW}\n"), VENDORS)
    assert (short.title, short.status) == ("ap-example-1", RegionStatus.PUBLIC)
    assert (short.latitude, short.longitude) == (28.6519, 77.2315)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["", "sep={}\n", "\n{}{}{}\n"])
def test_a_file_is_read_in_the_formats_of_spreadsheet_programs(
    tmp_path: Path, separator: str, first: str
) -> None:
    text = f"{first.replace('{}', ',')}{HEAD},,\n{ROW},,\n,,,,,\n".replace(",", separator)
    (region,) = read_regions(_file(tmp_path, text.encode("utf-16")), VENDORS)
    assert region.name == "ap-example-1"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ":1: missing columns: vendor, region, latitude, longitude"),
        ("vendor,region\n", ":1: missing columns: latitude, longitude"),
        (f"{HEAD},colour\n", ":1: unknown columns: colour"),
        (f"{HEAD},vendor\n", ":1: a column occurs twice"),
        (f"{HEAD}\nhetzner,a,1,1\n", ":2: vendor 'hetzner': must be one of aws, azure, gcp, oci"),
        (f"{HEAD}\nOCI,a,1,1\n", ":2: vendor 'OCI'"),
        (f"{HEAD}\noci,AP-1,1,1\n", ":2: region 'AP-1'"),
        (f"{HEAD}\noci,a b,1,1\n", ":2: region 'a b'"),
        (f"{HEAD}\n{ROW}\noci,a,91,1\n", ":3: latitude '91': must be degrees from -90 to 90"),
        (f"{HEAD}\noci,a,nan,181\n", ":2: latitude 'nan'"),
        (f"{HEAD}\noci,a,1,-181\n", ":2: longitude '-181'"),
        (f"{HEAD}\noci,a,1e1,{'1' * 5000}\n", ":2: latitude '1e1'"),
        (f"{HEAD}\noci,a,1\n", ":2: 3 values in a table of 4 columns"),
        (f"{HEAD}\noci,a,1,1,1\n", ":2: 5 values in a table of 4 columns"),
        (f"{HEAD}\n{ROW}\n{ROW}\n", ":3: duplicate region oci ap-example-1"),
        (f"{HEAD},country\n{ROW},in\n", ":2: country 'in'"),
        (f"{HEAD},status\n{ROW},open\n", ":2: status 'open'"),
        (f'{HEAD}\noci,"a,1,1\n', ":2: unexpected end of data"),
        (b"\xff\xfe\x00", ": this is UTF-16, damaged or cut off at byte 2"),
        (b"vendor\xff", ": not UTF-8 at byte 6 (0xff, in line 1)"),
    ],
    ids=lambda value: str(value)[-30:],
)  # fmt: skip
def test_errors_have_file_and_line(tmp_path: Path, text: str | bytes, wrong: str) -> None:
    file = _file(tmp_path, text)
    with pytest.raises(UnusableRegions) as caught:
        read_regions(file, VENDORS)
    assert f"{file}{wrong}" in str(caught.value)


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    file = _file(tmp_path, f"{HEAD}\nx,a,1,1\noci,B,1,999\n")
    with pytest.raises(UnusableRegions) as caught:
        read_regions(file, VENDORS)
    assert len(caught.value.problems) == 3


def test_commands_use_the_added_regions_and_reject_an_invalid_file(tmp_path: Path) -> None:
    file = _file(tmp_path, f"{HEAD},title\n{ROW},x\naws,us-east-1,0,0,x\n")
    (row,) = [r for r in rows("--regions", file, "regions") if r["region"] == "ap-example-1"]
    assert row["upper_tiers"] == ["DEL", "BOM"]
    done = run("regions", "--vendor", "aws", env={"ORIGINMAP_REGIONS": str(file)})
    assert done.returncode == 0, done.stderr
    assert "Ashburn" in done.stdout  # the package's own regions are included
    assert "ap-example-1" not in output("regions")
    file.write_text("vendor\n")
    message = refusal("--regions", file, "regions")
    assert f"{file}:1: missing columns: region, latitude, longitude" in message
    assert "docs/catalogue.md" in message
    assert "No such file" in refusal("--regions", tmp_path / "none.csv", "regions")


def _put(server: Server, body: dict[str, str]) -> httpx.Response:
    return httpx.put(f"{server.mappings}/{body['origin_ip']}", headers=BEARER, json=body)


def test_a_server_accepts_an_added_region_and_works_without_the_file_later(
    tmp_path: Path,
) -> None:
    file, db = _file(tmp_path, f"{HEAD}\n{ROW}\n"), tmp_path / "dev.db"
    body = {"origin_ip": "192.0.2.1", "vendor": "oci", "region": "ap-example-1"}
    with Server(str(db), tmp_path, env={"ORIGINMAP_REGIONS": str(file)}) as server:
        assert _put(server, body).status_code == 200
        supported = httpx.get(f"{server.mappings}/supported_regions", headers=BEARER).json()
        (region,) = [
            r for r in supported["result"]["vendors"]["oci"] if r["name"] == "ap-example-1"
        ]
        assert region["upper_tier_colos"] == ["DEL", "BOM"]
    with Server(str(db), tmp_path) as server:
        found = httpx.get(f"{server.mappings}/192.0.2.1", headers=BEARER).json()
        assert found["result"]["region"] == "ap-example-1"
        assert _put(server, {**body, "origin_ip": "192.0.2.2"}).json()["errors"][0]["code"] == 1157
        own = f"{server.url}/originmap/v1"
        for path in (f"zones/{ZONE}/resolve?ip=192.0.2.1", "export/json", "snapshot"):
            assert httpx.get(f"{own}/{path}", headers=BEARER).status_code == 200
        out = tmp_path / "nginx.conf"
        colo = ("--colo", "KUL", "--upstream", "{colo}.example:80")
        output("export", "nginx", "--db", db, *colo, "--out", out)
        assert "upstream originmap_" in out.read_text()
