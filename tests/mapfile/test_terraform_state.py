"""Terraform states in both formats, and the problems of their resources."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from originmap.cli.commands.plan.import_ import terraform
from originmap.domain.mapping import address as addresses
from originmap.mapfile.errors import MapFileError
from originmap.mapfile.terraform_state import read_state

TYPE = "cloudflare_origin_cloud_region"
ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
OTHER = "1" * 32
NAMES = ("origin_ip", "vendor", "region", "zone_id")


def attributes(ip: Any, vendor: Any = "aws", region: Any = "us-east-1", zone: Any = ZONE) -> Any:
    return dict(zip(NAMES, (ip, vendor, region, zone), strict=True)) | {"id": ip, "x": [None]}


def shown(*resources: dict[str, Any], children: Any = (), **top: Any) -> dict[str, Any]:
    """A state in the format of terraform show -json."""
    root = {"resources": list(resources), "child_modules": list(children)}
    return {"format_version": "1.0", "values": {"root_module": root}, **top}


def resource(address: str, values: Any, **more: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "type": TYPE, "values": values, **more}


def in_file(*resources: dict[str, Any], version: int = 4) -> dict[str, Any]:
    """A state file."""
    return {"version": version, "serial": 1, "lineage": "a", "resources": list(resources)}


def instances(name: str, *found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": TYPE, "name": name, "instances": list(found), **more}


def instance(values: Any, **more: Any) -> dict[str, Any]:
    return {"schema_version": 500, "attributes": values, **more}


def mappings(folder: Path, state: Any) -> dict[str, dict[str, str]]:
    file = folder / "state.json"
    file.write_text(state if isinstance(state, str) else json.dumps(state))
    return {
        zone.zone: {addresses.text(a): "/".join(place) for a, place in zone.mappings.items()}
        for zone in read_state(file)
    }


def refusal(folder: Path, state: Any) -> str:
    with pytest.raises(MapFileError) as caught:
        mappings(folder, state)
    return str(caught.value).replace(f"{folder}/state.json", "FILE")


SHOWN = shown(
    resource("data.x.y", {"origin_ip": "192.0.2.99"}, mode="data"),
    {"address": "cloudflare_zone.z", "type": "cloudflare_zone", "values": {"zone_id": 5}},
    resource(f"{TYPE}.one", attributes("192.0.2.1"), sensitive_values={"region": True},
             tainted=True),
    resource(f"{TYPE}.n[0]", attributes("192.0.2.2", "gcp", "us-central1"), index=0),
    resource(f'{TYPE}.each["a"]', attributes("192.0.2.1", zone=OTHER), index="a"),
    children=[
        {
            "address": "module.m",
            "resources": [resource(f"module.m.{TYPE}.one", attributes("2001:DB8:0::1"))],
            "child_modules": [
                {"resources": [resource(f"module.m.module.n.{TYPE}.a", attributes("192.0.2.3"))]}
            ],
        }
    ],
)  # fmt: skip
IN_FILE = in_file(
    instances("y", instance({"origin_ip": "192.0.2.99"}), mode="data"),
    {"mode": "managed", "type": "cloudflare_zone", "name": "z", "instances": [{"attributes": {}}]},
    instances("one", instance(attributes("192.0.2.1"), status="tainted", sensitive_attributes=[])),
    instances("n", instance(attributes("192.0.2.2", "gcp", "us-central1"), index_key=0),
              provider='provider["registry.opentofu.org/cloudflare/cloudflare"].second'),
    instances("each", instance(attributes("192.0.2.1", zone=OTHER), index_key="a")),
    instances("one", instance(attributes("2001:DB8:0::1")), module="module.m"),
    instances("a", {"attributes_flat": {n: attributes("192.0.2.3")[n] for n in NAMES}},
              module='module.m["x"].module.n'),
    instances("none"),
)  # fmt: skip


@pytest.mark.parametrize("state", [SHOWN, IN_FILE], ids=["show -json", "state file"])
def test_the_mappings_of_all_modules_providers_and_instances_are_read(
    tmp_path: Path, state: Any
) -> None:
    assert mappings(tmp_path, state) == {
        ZONE: {
            "192.0.2.1": "aws/us-east-1",
            "192.0.2.2": "gcp/us-central1",
            "192.0.2.3": "aws/us-east-1",
            "2001:db8::1": "aws/us-east-1",
        },
        OTHER: {"192.0.2.1": "aws/us-east-1"},
    }


@pytest.mark.parametrize(
    "state",
    [
        {"format_version": "1.0"},
        {"format_version": "1.0", "terraform_version": "1.11.4", "checks": []},
        {"format_version": "0.2", "values": {}},
        shown(),
        in_file(),
        in_file() | {"resources": None},
    ],
)
def test_an_empty_state_has_no_mappings(tmp_path: Path, state: Any) -> None:
    assert mappings(tmp_path, state) == {}
    done = CliRunner().invoke(terraform, [str(tmp_path / "state.json")])
    assert done.exit_code == 0
    assert done.stdout == "zones: {}\n"
    assert f"no resource of type {TYPE} in this state" in done.stderr


def test_other_resources_of_a_state_are_skipped(tmp_path: Path) -> None:
    state = """{"format_version":"1.0","values":{"root_module":{"resources":[
        {"type":"cloudflare_zone","address":"a","mode":"managed","values":{"x":1}},
        {"type":"cloudflare_origin_cloud_region","address":"b","mode":"data","values":{}}]}}}"""
    assert mappings(tmp_path, state) == {}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"format_version": "1.2", "planned_values": {}}, "FILE: this is a plan, not a state"),
        (shown(prior_state={}, resource_changes=[]), "FILE: this is a plan, not a state"),
        ({"format_version": "1.2", "resource_changes": []}, "FILE: this is a plan, not a state"),
        ("PK\x03\x04 and more", "FILE: this is a plan, not a state"),
        ({"format_version": "1.0", "provider_schemas": {}}, "terraform providers schema -json"),
        ({"format_version": "1.0", "valid": True}, "not a state: it has no values, but valid"),
        ({"format_version": "2.0", "values": {}}, "format_version '2.0' is not supported; use 0"),
        ({"a": {"sensitive": False, "type": "string", "value": "b"}}, "terraform output -json"),
        ('{"@level":"info","@message":"x"}\n{"@level":"b"}\n', "the log of a command with -json"),
        ('{"@level":"info","@message":"x"}\n', "the log of a command with -json"),
        ({"version": 4, "encrypted_data": "a", "lineage": "b"}, "FILE: this state is encrypted"),
        (in_file(version=3), "FILE: state file format 3 (Terraform before 0.12) is not supported"),
        ({"version": 1, "serial": 1, "modules": []}, "FILE: state file format 1"),
        ({"version": 3, "backend": {}, "serial": 1}, "this is the configuration of a backend"),
        (in_file(version=5), "FILE: state file format 5 is not supported; use 4"),
        ({}, "FILE: not a state: it has no format_version"),
        ({"version": 3, "deployment": {}}, "FILE: not a state: it has no format_version"),
        ([], "FILE: not a state: it is not a JSON object"),
        ('{\n "format_version": 1.0,}', "FILE:2:24: not JSON: expected a key in double quotes"),
        ("# cloudflare_zone.z:\n", "FILE:1:1: not JSON: expected a value, not '#'"),
        ("", "FILE:1:1: not JSON: missing a value"),
        ('{"format_version": "1.0", "values": ' + "[" * 100_000, "FILE:1:136: not JSON: nested"),
        (shown({"type": 5}), "FILE: Expected `str`, got `int`"),
    ],
)  # fmt: skip
def test_other_json_files_are_rejected_with_their_kind(
    tmp_path: Path, state: Any, said: str
) -> None:
    assert said in refusal(tmp_path, state)


def test_duplicates_have_a_hint(tmp_path: Path) -> None:
    both = [resource(f"{TYPE}.{name}", attributes("192.0.2.1")) for name in "ab"]
    with pytest.raises(MapFileError) as caught:
        mappings(tmp_path, shown(*both))
    assert "terraform state rm" in caught.value.hint


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (attributes("192.0.2.1"), attributes("192.0.2.1", region="us-west-2"),
         "b: duplicate 192.0.2.1; first at {}.a, in aws/us-east-1, and in aws/us-west-2 here"),
        (attributes("2001:db8::1"), attributes("2001:DB8:0::1"),
         "b: duplicate 2001:db8::1; first at {}.a"),
        (attributes("192.0.2.1", zone=None), attributes("192.0.2.1"), "a: missing zone_id"),
        (attributes("192.0.2.1", zone=" "), attributes("192.0.2.1"), "a: missing zone_id"),
        (attributes("192.0.2.1", zone="a b\n"), attributes("192.0.2.1"),
         "a: zone_id 'a b\\n' is not a zone id"),
        (attributes("192.0.2.1", zone=ZONE[:-1]), attributes("192.0.2.1"),
         f"a: zone_id '{ZONE[:-1]}' is not a zone id"),
        (attributes("192.0.2.1", zone=ZONE.upper()), attributes("192.0.2.1"),
         f"b: duplicate 192.0.2.1; first at {TYPE}.a"),
        ({}, attributes("192.0.2.1"),
         "a: missing zone_id, origin_ip, vendor, region"),
        (None, attributes("192.0.2.1"), "a: missing zone_id, origin_ip,"),
        (attributes("192.0.2.1", zone=5), attributes("192.0.2.2"),
         "a: Expected `str | null`, got `int` - at `$.zone_id`"),
        (attributes("192.0.2.1/32"), attributes("192.0.2.1"),
         "a: origin_ip '192.0.2.1/32' is not an origin IP address"),
    ],
)  # fmt: skip
def test_an_invalid_resource_is_reported_in_either_format(
    tmp_path: Path, first: Any, second: Any, said: str
) -> None:
    expected = f"FILE: {TYPE}.{said.format(TYPE)}"
    assert expected in refusal(
        tmp_path, shown(resource(f"{TYPE}.a", first), resource(f"{TYPE}.b", second))
    )
    assert expected in refusal(
        tmp_path, in_file(instances("a", instance(first)), instances("b", instance(second)))
    )


def test_deposed_objects_and_all_other_problems_are_reported_together(tmp_path: Path) -> None:
    values, bad = attributes("192.0.2.1"), attributes("192.0.2.2", vendor=None)
    said = [
        "2 errors",
        f'FILE: module.m.{TYPE}.a["x"]: a deposed object (0a1b2c3d), which Terraform will destroy',
        f"FILE: {TYPE}.b: missing vendor",
    ]
    state = in_file(
        instances(
            "a",
            instance(values, index_key="x"),
            instance(attributes("192.0.2.9"), index_key="x", deposed="0a1b2c3d"),
            module="module.m",
        ),
        instances("b", instance(bad)),
    )
    assert refusal(tmp_path, state).splitlines() == said
    address = f'module.m.{TYPE}.a["x"]'
    state = shown(
        resource(address, values),
        resource(address, attributes("192.0.2.9"), deposed_key="0a1b2c3d"),
        resource(f"{TYPE}.b", bad),
    )
    assert refusal(tmp_path, state).splitlines() == said


def test_only_the_first_of_many_errors_are_printed(tmp_path: Path) -> None:
    said = refusal(tmp_path, shown(*(resource(f"{TYPE}.a[{n}]", {}) for n in range(1000))))
    assert len(said.splitlines()) == 22
    assert said.endswith("and 980 more like these")


def test_a_state_can_be_read_from_a_pipe() -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as pipe:
        pipe.write(json.dumps(SHOWN))
    assert len(read_state(Path(f"/dev/fd/{reading}"))) == 2
    os.close(reading)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le"])
def test_a_state_from_powershell_is_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(json.dumps(SHOWN).replace(", ", ",\r\n").encode(encoding))
    assert len(read_state(file)) == 2
