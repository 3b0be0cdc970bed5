"""Mappings files: all formats are equivalent, and all problems are reported together."""

import contextlib
import json
import os
import tempfile
from pathlib import Path
from threading import Thread

import hypothesis.strategies as st
import jsonschema
import pytest
import yaml
from hypothesis import given

from originmap import data
from originmap.domain.mapping import address
from originmap.domain.mapping.mapping import Place
from originmap.mapfile import reader
from originmap.mapfile.document import Document
from originmap.mapfile.document import schema as schema_text
from originmap.mapfile.errors import UnusableFile, WrongFile

# Parts of generated invalid files.
_WORDS = [
    *("zones:", "\n", "  ", " ", "a.b", ":", "mappings", "groups", "origins", "- ", "[", "]", "{"),
    *("}", ",", '"', "'", "192.0.2.1", "::1", "aws/us-east-1", "auto", "&a", "*a", "!t", "|", "%"),
    *("---", "...", "ignore", "10.0.0.0/8", "region", "vendor", "comment", "#", "?", "<<", "\t"),
]

FULL = """\
# A file with every feature.
$schema: ./mappings.schema.json
zones:
  example.com:
    mappings:
      192.0.2.1: aws/us-east-1
      2001:db8::1: {vendor: gcp, region: us-central1, comment: the database}
      "2001:db8::2":
        region: us-west-2
        vendor: aws
      origin.example.com: auto
      192.0.2.9: {vendor: aws, region: auto}
    groups:
      - vendor: oci
        region: uk-london-1
        comment: behind the balancer
        origins: [192.0.2.20, 192.0.2.21, "::ffff:192.0.2.22"]
      - region: eu-west-1
        vendor: aws
        origins:
          192.0.2.30: the old one
          192.0.2.31:
    ignore: [10.0.0.0/8, oci/*]
    adopt:
      - 198.51.100.*
  Example.ORG.:
    mappings: {}
  023e105f4ecef8ad9ca31a8372d0c353:
"""


def read(folder: Path, text: str, name: str = "mappings.yaml") -> Document:
    file = folder / name
    file.write_text(text, "utf-8")
    return reader.read(file, data.catalogue())


def problems(folder: Path, text: str, name: str = "mappings.yaml") -> list[str]:
    with pytest.raises(WrongFile) as caught:
        read(folder, text, name)
    return [
        f"{problem.where.line}:{problem.where.column}: {problem.text}".replace(f"{folder}/", "")
        for problem in caught.value.problems
    ]


def in_zone(*lines: str) -> str:
    return "zones:\n  example.com:\n    mappings:\n" + "".join(f"      {x}\n" for x in lines)


def places(document: Document, zone: str = "example.com") -> dict[str, str]:
    origins = document.zones[zone].origins
    return {address.text(a): f"{w.place.vendor}/{w.place.region}" for a, w in origins.items()}


def test_a_file_lists_the_mappings_of_zones(tmp_path: Path) -> None:
    document = read(tmp_path, FULL)
    assert list(document.zones) == [
        "example.com",
        "example.org",
        "023e105f4ecef8ad9ca31a8372d0c353",
    ]
    assert places(document) == {
        "192.0.2.1": "aws/us-east-1",
        "2001:db8::1": "gcp/us-central1",
        "2001:db8::2": "aws/us-west-2",
        "192.0.2.9": "aws/auto",
        "192.0.2.20": "oci/uk-london-1",
        "192.0.2.21": "oci/uk-london-1",
        "192.0.2.22": "oci/uk-london-1",
        "192.0.2.30": "aws/eu-west-1",
        "192.0.2.31": "aws/eu-west-1",
    }
    zone = document.zones["example.com"]
    assert zone.hosts["origin.example.com"].place == Place("", "auto")
    assert [pattern.text for pattern in zone.ignore] == ["10.0.0.0/8", "oci/*"]
    assert [pattern.text for pattern in zone.adopt] == ["198.51.100.*"]


def test_comments_stay_with_their_mappings(tmp_path: Path) -> None:
    origins = read(tmp_path, FULL).zones["example.com"].origins
    comments = {address.text(a): w.comment for a, w in origins.items() if w.comment}
    assert comments == {
        "2001:db8::1": "the database",
        "192.0.2.20": "behind the balancer",
        "192.0.2.21": "behind the balancer",
        "192.0.2.22": "behind the balancer",
        "192.0.2.30": "the old one",
    }


@pytest.mark.parametrize("null", ["null", "~", "Null", ""])
def test_null_is_a_missing_value(tmp_path: Path, null: str) -> None:
    text = f"""zones: {{example.com: {{
      mappings: {{192.0.2.1: {{vendor: {null}, region: auto, comment: {null}}}}},
      groups: [
        {{name: {null}, vendor: aws, region: us-east-1, comment: {null}, origins: [192.0.2.2]}},
        {{vendor: aws, region: us-east-1, comment: c, origins: {{192.0.2.3: {null}}}}}],
      pools: [{{name: a, members: [192.0.2.1, 192.0.2.2], group: {null}}}]}}}}"""
    zone = read(tmp_path, text).zones["example.com"]
    assert [(w.place, w.comment) for w in zone.origins.values()] == [
        (Place("", "auto"), ""),
        (Place("aws", "us-east-1"), ""),
        (Place("aws", "us-east-1"), "c"),
    ]
    assert (zone.groups, list(zone.pools or ())) == ({}, ["a"])


def test_null_in_quotes_is_a_string(tmp_path: Path) -> None:
    text = """zones: {a.b: {groups: [{name: "null", vendor: aws, region: us-east-1, comment: '~',
      origins: {192.0.2.1: 'null', 192.0.2.2: }}]}}"""
    zone = read(tmp_path, text).zones["a.b"]
    assert [w.comment for w in zone.origins.values()] == ["null", "~"]
    assert list(zone.groups) == ["null"]


def test_json_has_the_same_structure_as_yaml(tmp_path: Path) -> None:
    text = json.dumps(yaml.safe_load(FULL), indent="\t")
    assert places(read(tmp_path, text, "mappings.json")) == places(read(tmp_path, FULL))
    dense = json.dumps(yaml.safe_load(FULL), separators=(",", ":"))
    assert places(read(tmp_path, dense, "mappings.json")) == places(read(tmp_path, FULL))


def test_csv_has_a_line_for_each_mapping(tmp_path: Path) -> None:
    text = (
        "\ufeffzone,vendor,origin_ip,region,comment\r\n"
        'example.com,aws,192.0.2.1,us-east-1,"a, b"\r\n'
        "\r\n"
        "example.com,,www.example.com,auto,\r\n"
    )
    document = read(tmp_path, text, "mappings.csv")
    zone = document.zones["example.com"]
    assert places(document) == {"192.0.2.1": "aws/us-east-1"}
    assert [wanted.comment for wanted in zone.origins.values()] == ["a, b"]
    assert zone.hosts["www.example.com"].auto


def test_a_folder_is_read_with_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("not one of them")
    (tmp_path / ".hidden.yaml").write_text("nonsense")
    (tmp_path / "a.yaml").write_text(in_zone("192.0.2.1: aws/us-east-1"))
    (tmp_path / "b.json").write_text('{"zones":{"example.com":{"mappings":{"192.0.2.2":"auto"}}}}')
    (tmp_path / "c.csv").write_text(
        "zone,origin_ip,vendor,region\nexample.org,192.0.2.1,aws,us-east-1\n"
    )
    document = reader.read(tmp_path, data.catalogue())
    assert places(document) == {"192.0.2.1": "aws/us-east-1", "192.0.2.2": "/auto"}
    assert places(document, "example.org") == {"192.0.2.1": "aws/us-east-1"}


def test_duplicates_are_found_across_spellings_and_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(in_zone("2001:db8::1: aws/us-east-1", "192.0.2.1: auto"))
    (tmp_path / "b.csv").write_text(
        "zone,origin_ip,vendor,region\n"
        "EXAMPLE.com,2001:DB8:0::1,gcp,us-central1\n"
        "example.com,::ffff:192.0.2.1,gcp,us-central1\n"
    )
    with pytest.raises(WrongFile) as caught:
        reader.read(tmp_path, data.catalogue())
    assert [str(p.where).rpartition("/")[2] + " " + p.text for p in caught.value.problems] == [
        f"b.csv:2:13 duplicate 2001:db8::1; first at {tmp_path}/a.yaml:4:7",
        f"b.csv:3:13 duplicate 192.0.2.1; first at {tmp_path}/a.yaml:5:7",
    ]


def test_all_problems_are_reported_together_with_their_position(tmp_path: Path) -> None:
    text = in_zone(
        "192.0.2.1: aws/us-esat-1",
        "192.0.2.1/24: aws/us-east-1",
        "192.0.2.2: us-east-1",
        "192.0.2.3: {vendor: foo, region: us-east-1}",
        "192.0.2.4: {region: us-east-1}",
        "192.0.2.5: {vendor: aws, region: us-east-1, note: x}",
        "192.0.2.6: [aws, us-east-1]",
        "192.0.2.7: *a",
        "192.0.2.1: aws/us-east-1",
        "192.0.2.1: aws/us-east-1",
    )
    assert problems(tmp_path, text) == [
        "4:18: unknown region 'us-esat-1' of aws; is it us-west-1 or us-east-1?",
        "5:7: neither an IP address that an origin can have, nor a host name: '192.0.2.1/24'",
        "6:18: 'us-east-1': write vendor/region, as in aws/us-east-1, or auto",
        "7:18: unknown vendor 'foo'; use one of aws, azure, gcp, oci",
        "8:18: the vendor is missing",
        "9:51: unknown key 'note'; use vendor, region, comment",
        "10:18: write vendor/region, as in aws/us-east-1, or auto",
        "11:18: aliases are not supported; use a group",
        "13:7: duplicate 192.0.2.1; first at mappings.yaml:12:7",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zones: [a]", "1:8: zones must have zone names as keys"),
        ("[]", "1:1: a mappings file needs the key zones"),
        ("zone: {}", "1:1: unknown key 'zone'; use zones"),
        (
            "zones: {a: {x: {y: [1, {z: 2}]}}}",
            "1:13: unknown key 'x'; use mappings, groups, pools, ignore, adopt",
        ),
        ("zones: {a: , a: }", "1:14: duplicate key a; first at mappings.yaml:1:9"),
        ("zones: {'': }", "1:9: not a zone name or id: ''"),
        ("zones: {[a]: b}", "1:9: a key must be a string"),
        ("zones: {a: {groups: {}}}", "1:21: groups must be a list"),
        (
            "zones: {a: {groups: [{vendor: aws, origins: [192.0.2.1]}]}}",
            "1:22: the region is missing",
        ),
        (
            "zones: {a: {ignore: [a.b]}}",
            "1:22: 'a.b' is not a pattern: use an address, a glob of addresses, a prefix or"
            " vendor/region",
        ),
        ("zones: {a: {adopt: [null]}}", "1:21: a pattern must be a string"),
        (
            "zones: {a: {groups: [{vendor: aws, region: us-east-1, origins: [null]}]}}",
            "1:65: an origin in a list is an address or a host name; with comments, leave out the"
            " dashes",
        ),
        (
            "zones: {a: {mappings: {192.0.2.1: {vendor: aws, region: ~}}}}",
            "1:35: the region is missing",
        ),
        (
            "zones: {a: {pools: [{name: null, members: [192.0.2.1]}]}}",
            "1:21: a pool takes the key name, and members or group",
        ),
        (
            "zones: {a: {pools: [{name: b, members: [192.0.2.1, ~]}]}}",
            "1:52: a member is an address or a host name",
        ),
        ("zones: {a: {adopt: [[]]}}", "1:21: a pattern must be a string"),
        ("zones: {", "2:1: not YAML: did not find expected node content"),
        (
            "zones:\n\ta: b",
            "2:1: not YAML: found character that cannot start any token: a tab; indent by spaces",
        ),
        ("zones:\n  a: \x01", "2:6: not YAML: a character that is not allowed"),
    ],
)
def test_a_problem_is_reported_with_its_position(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["1:1: missing columns: zone, origin_ip, vendor, region"]),
        ("zone,origin_ip,vendor\n", ["1:1: missing columns: region"]),
        ("zone,origin_ip,vendor,region,who\n", ["1:1: unknown columns: 'who'"]),
        ("zone,zone,origin_ip,vendor,region\n", ["1:1: a column occurs twice"]),
        ("zone,origin_ip,vendor,region\na,b\n", ["2:1: 2 cells in a table of 4 columns"]),
        (
            'zone,origin_ip,vendor,region\n"a,b",1.2.3,aws,us-east-1\na,192.0.2.1,aws,nowhere\n',
            [
                "2:1: not a zone name or id: 'a,b'",
                "2:7: neither an IP address that an origin can have, nor a host name: '1.2.3'",
                "3:17: unknown region 'nowhere' of aws; see originmap regions --vendor aws",
            ],
        ),
        ('zone,origin_ip,vendor,region\na,"b\n', ["2:1: not CSV: unexpected end of data"]),
    ],
)
def test_a_problem_in_csv_is_reported_with_its_position(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    assert problems(tmp_path, text, "mappings.csv") == found


def test_a_zone_with_more_mappings_than_the_limit_ends_the_reading(tmp_path: Path) -> None:
    lines = [f"10.0.{n >> 8}.{n & 255}: aws/us-east-1" for n in range(3600)]
    assert len(places(read(tmp_path, in_zone(*lines[:3500])))) == 3500
    assert problems(tmp_path, in_zone("192.0.2.1: aws", *lines, "192.0.2.2: aws")) == [
        "4:18: 'aws': write vendor/region, as in aws/us-east-1, or auto",
        "3505:7: more than 3,500 mappings in zone example.com, which is the limit",
    ]


def test_without_a_catalogue_any_region_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "mappings.yaml"
    file.write_text(in_zone("192.0.2.1: aws/moon-1", "192.0.2.2: newcloud/x"))
    assert places(reader.read(file, None)) == {"192.0.2.1": "aws/moon-1", "192.0.2.2": "newcloud/x"}


def test_other_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile):
        reader.read(tmp_path / "missing.yaml", None)
    with pytest.raises(UnusableFile):
        reader.read(tmp_path, None)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(UnusableFile):
        reader.read(tmp_path / "a.txt", None)
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    with pytest.raises(UnusableFile):
        reader.read(tmp_path / "b.yaml", None)


def test_a_broken_link_in_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(in_zone("192.0.2.1: aws/us-east-1"))
    (tmp_path / "b.yaml").symlink_to(tmp_path / "missing")
    (tmp_path / ".#a.yaml").symlink_to("an editor's lock")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(UnusableFile) as caught:
        reader.read(tmp_path, None)
    assert str(caught.value) == f"{tmp_path}/b.yaml: No such file or directory"


def test_a_pipe_in_a_folder_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    text = in_zone("192.0.2.1: aws/us-east-1")
    writer = Thread(target=(tmp_path / "a.yaml").write_text, args=[text])
    writer.start()
    document = reader.read(tmp_path, None)
    writer.join()
    assert places(document) == {"192.0.2.1": "aws/us-east-1"}


def test_a_path_that_cannot_be_looked_up_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300 + ".yaml")
    with pytest.raises(UnusableFile) as caught:
        reader.read(path, None)
    assert str(caught.value) == f"{path}: File name too long"


@pytest.mark.parametrize("name", ["plan.json", "plan.yaml"])
def test_a_saved_plan_is_not_a_file_of_mappings(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(in_zone("192.0.2.1: aws/us-east-1"))
    (tmp_path / name).write_text('{\n  "format": "originmap-plan/2",\n  "digest": ""}')
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(UnusableFile) as caught:
            reader.read(path, None)
        assert str(caught.value) == f"{tmp_path}/{name}: a saved plan, not a file of mappings"
        assert "originmap apply" in caught.value.hint


def test_the_schema_accepts_files_that_the_reader_accepts() -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(FULL), schema)
    nulls = "zones: {a: {groups: [{name: , vendor: , region: auto, comment: , origins: }]}}"
    jsonschema.validate(yaml.safe_load(nulls), schema)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "zone: {}",
        "zones: {a: {x: 1}}",
        "zones: {a: {mappings: {192.0.2.1: us-east-1}}}",
        "zones: {a: {mappings: {192.0.2.1: {vendor: aws}}}}",
        "zones: {a: {mappings: {192.0.2.1: {vendor: aws, region: us-east-1, x: y}}}}",
        "zones: {a: {groups: [{vendor: aws, origins: [192.0.2.1]}]}}",
        "zones: {a: {groups: {}}}",
        "zones: {a: {ignore: [[]]}}",
        "zones: {a: {ignore: [null]}}",
        "zones: {a: {groups: [{vendor: aws, region: , origins: [192.0.2.1]}]}}",
        "zones: {a: {groups: [{vendor: aws, region: us-east-1, origins: [~]}]}}",
    ],
)
def test_the_schema_rejects_files_that_the_reader_rejects(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), json.loads(schema_text()))


@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(_WORDS)).map("".join),
        st.lists(st.sampled_from(_WORDS)).map(
            lambda words: "zone,origin_ip,vendor,region\n" + "".join(words)
        ),
    )
)
def test_every_input_is_read_or_rejected(form: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"mappings.{form}"
        file.write_bytes(text.encode("utf-8", "replace"))
        with contextlib.suppress(WrongFile):
            reader.read(file, data.catalogue())
