"""Every file that a command reads can be saved by Windows programs; errors have file and line."""

import io
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from originmap.cli import node_options, options
from originmap.cli.topology_file import read_topology
from originmap.detect import reader
from originmap.detect.content import read_file
from originmap.detect.errors import DamagedRanges
from originmap.domain.errors import InvalidTopology
from originmap.domain.plan.plan import plan_of
from originmap.planning.errors import UnusablePlan
from originmap.planning.plan_json import Planned, encode, is_saved, load
from tests.detect.samples import AWS

ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
NOT_UTF_8 = b"a\n\xe9"
REASON = r"not UTF-8 at byte 2 \(0xe9, in line 2\): save it as UTF-8"


def saved(folder: Path, text: str, encoding: str) -> Path:
    file = folder / "given"
    file.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return file


def bad(folder: Path) -> Path:
    (folder / "given").write_bytes(NOT_UTF_8)
    return folder / "given"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ranges_are_read(tmp_path: Path, encoding: str) -> None:
    file = saved(tmp_path, AWS.read_text("utf-8"), encoding)
    assert reader.read(read_file(file)).vendor == "aws"
    with pytest.raises(DamagedRanges, match=REASON):
        read_file(bad(tmp_path))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_upstreams_are_read(tmp_path: Path, encoding: str) -> None:
    text = "{colo}.cache.example.net:80\n# a comment\n\nIAD=192.0.2.1:80  # one\n"
    file = saved(tmp_path, text, encoding)
    assert upstreams(file) == "{colo}.cache.example.net:80 IAD=192.0.2.1:80\n"
    assert "--upstreams" in (said := upstreams(bad(tmp_path)))
    assert f"{tmp_path}/given: not UTF-8 at byte 2 (0xe9, in line 2): save it as UTF-8" in said


def test_an_invalid_line_of_upstreams_is_reported_with_its_file(tmp_path: Path) -> None:
    said = upstreams(saved(tmp_path, "IAD=192.0.2.1:80\n\nEWR 192.0.2.2:80\n", "utf-8"))
    assert f"{tmp_path}/given:3: not an upstream address: 'EWR 192.0.2.2:80'" in said


def test_a_second_template_of_upstreams_is_reported_with_its_line(tmp_path: Path) -> None:
    text = "{colo}.x:80\nIAD=192.0.2.1:80\n{colo}.y:80\n"
    said = upstreams(saved(tmp_path, text, "utf-8"))
    assert f"{tmp_path}/given:3: two templates: '{{colo}}.x:80' and '{{colo}}.y:80'" in said


def upstreams(file: Path) -> str:
    @click.command()
    @node_options.upstream_file
    def command(upstream_file: io.BufferedReader) -> None:
        click.echo(" ".join(node_options.lines(upstream_file)))

    return CliRunner().invoke(command, ["--upstreams", str(file)]).output


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_token_files_are_read(tmp_path: Path, encoding: str) -> None:
    assert options.given_token(saved(tmp_path, "abc_123\n", encoding)) == "abc_123"
    with pytest.raises(click.UsageError, match=REASON):
        options.given_token(bad(tmp_path))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_saved_plans_are_read(tmp_path: Path, encoding: str) -> None:
    text = b"".join(encode(Planned("http://a", plan_of([]), {}, None))).decode()
    file = saved(tmp_path, text, encoding)
    assert is_saved(file)
    assert load(file).api == "http://a"
    with pytest.raises(UnusablePlan, match=REASON):
        load(bad(tmp_path))
    file.write_text("[" * 100_000)
    with pytest.raises(UnusablePlan):
        load(file)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_topologies_are_read(tmp_path: Path, encoding: str) -> None:
    colo = {
        "code": "SIN",
        "latitude": 1,
        "longitude": 2,
        "state": "active",
        "city": "",
        "country": "SG",
    }
    text = json.dumps({"colos": [colo | {"eligible": True}]}, indent=1)
    file = saved(tmp_path, text, encoding)
    assert [each.code for each in read_topology(file).colos] == ["SIN"]
    with pytest.raises(InvalidTopology, match=REASON):
        read_topology(bad(tmp_path))
    file.write_text('{\n "colos": [,]}')
    with pytest.raises(InvalidTopology, match=r"given:2:12: not JSON: expected a value, not ','"):
        read_topology(file)
    file.write_text('{"colos": 5}')
    with pytest.raises(InvalidTopology, match=r"given: Expected `array`, got `int`"):
        read_topology(file)
