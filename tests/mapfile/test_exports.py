"""Exports: equal mappings give equal bytes, which the other tools can parse.

After an intended change of the format, write the golden files and review the difference:

    python -m tests.mapfile.test_exports
"""

import io
from pathlib import Path

import hcl2
import pytest
import yaml
from hypothesis import given, settings

from originmap.domain.mapping import address
from originmap.domain.mapping.mapping import Place
from originmap.mapfile.pulumi import write_pulumi
from originmap.mapfile.terraform import (
    ExportedZone,
    resource_name,
    write_terraform,
    write_terraform_map,
)
from originmap.mapfile.writer import ZoneState, write_yaml
from tests.builders import CENTRAL, US_EAST, US_WEST, ip
from tests.planning.states import states

GOLDEN = Path(__file__).parent / "golden"
EXPORTS = {
    "origins.tf": write_terraform,
    "for-each.tf": write_terraform_map,
    "Pulumi.yaml": write_pulumi,
}
ID = "023e105f4ecef8ad9ca31a8372d0c353"
ZONES = [
    ExportedZone(ID, "example.com", {ip("2001:db8::1"): CENTRAL, ip("192.0.2.1"): US_EAST}),
    ExportedZone("0" * 32, "ex-ample.org", {}),
    ExportedZone("1" * 32, "xn--bcher-kva.example", {ip("192.0.2.1"): US_WEST}),
]


def written(write, zones) -> str:
    out = io.StringIO()
    write(zones, out)
    return out.getvalue()


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_equals_its_golden_file(name: str) -> None:
    assert written(EXPORTS[name], ZONES) == (GOLDEN / name).read_text("utf-8")


@settings(max_examples=20)
@given(states)
def test_terraform_gets_a_resource_and_an_import_for_each_mapping(state) -> None:
    parsed = hcl2.loads(written(write_terraform, [ExportedZone(ID, "example.com", state)]))
    found = {}
    for block in parsed.get("resource", []):
        (named,) = [v for k, v in block.items() if "cloudflare_origin_cloud_region" in k]
        for name, values in named.items():
            found[name.strip('"')] = {k: unquoted(v) for k, v in values.items()}
    assert len(found) == len(state)
    imports = {unquoted(block["to"]): unquoted(block["id"]) for block in parsed.get("import", [])}
    assert len(imports) == len(state)
    for a, place in state.items():
        name, text = resource_name("example.com", a), address.text(a)
        values = found[name]
        assert (values["zone_id"], values["origin_ip"]) == (ID, text)
        assert (values["vendor"], values["region"]) == place
        (target,) = [to for to in imports if to.endswith(f"cloudflare_origin_cloud_region.{name}")
                     or to == f"${{cloudflare_origin_cloud_region.{name}}}"]  # fmt: skip
        assert imports[target] == f"{ID}/{text}"


@settings(max_examples=20)
@given(states)
def test_terraform_gets_one_resource_and_one_import_for_a_map_of_all_mappings(state) -> None:
    zones = [ExportedZone(ID, "example.com", state), ExportedZone("1" * 32, "b.example", state)]
    parsed = hcl2.loads(written(write_terraform_map, zones))
    assert unquoted(parsed["terraform"][0]["required_version"]) == ">= 1.7"
    assert len(parsed["resource"]) == len(parsed["import"]) == 1
    keys = [unquoted(key) for key in parsed["locals"][0]["origin_cloud_regions"]]
    assert keys == [f"{zone.id}/{address.text(a)}" for zone in zones for a in sorted(state)]
    for key, values in parsed["locals"][0]["origin_cloud_regions"].items():
        found = {unquoted(name): unquoted(value) for name, value in values.items()}
        assert f"{found['zone_id']}/{found['origin_ip']}" == unquoted(key)
        assert (found["vendor"], found["region"]) == state[ip(found["origin_ip"])]


def test_the_map_without_mappings_is_empty() -> None:
    text = written(write_terraform_map, [ExportedZone(ID, "example.com", {})])
    assert hcl2.loads(text)["locals"][0]["origin_cloud_regions"] == {}
    assert text == written(write_terraform_map, [])


@given(states)
def test_pulumi_gets_a_resource_with_an_import_for_each_mapping(state) -> None:
    program = yaml.safe_load(written(write_pulumi, [ExportedZone(ID, "example.com", state)]))
    assert program["runtime"] == "yaml"
    resources = program.get("resources", {})
    assert len(resources) == len(state)
    for a, place in state.items():
        resource = resources[resource_name("example.com", a)]
        text = address.text(a)
        assert resource["type"] == "cloudflare:OriginCloudRegion"
        assert resource["properties"] == {
            "zoneId": ID,
            "originIp": text,
            "vendor": place.vendor,
            "region": place.region,
        }
        assert resource["options"] == {"import": f"{ID}/{text}"}


def test_hostile_names_stay_inside_their_string() -> None:
    odd = Place("a: b", 'x"${y}\n%{z}\b\f\\b')
    zone = ExportedZone(ID, "example.com", {ip("192.0.2.1"): odd})
    resources = yaml.safe_load(written(write_pulumi, [zone]))["resources"]
    properties = resources[resource_name("example.com", ip("192.0.2.1"))]["properties"]
    assert (properties["vendor"], properties["region"]) == odd
    for write in (write_terraform, write_terraform_map):
        text = written(write, [zone])
        hcl2.loads(text)
        assert '"x\\"$${y}\\n%%{z}\\u0008\\u000c\\\\b"' in text
    plain = yaml.safe_load(written(write_yaml, [ZoneState("example.com", zone.mappings)]))
    assert plain["zones"]["example.com"]["mappings"]["192.0.2.1"] == "/".join(odd)


def test_resource_names_are_unique() -> None:
    names = [
        resource_name(zone, ip(text))
        for zone in ("a-b.example", "a.b.example", "mänchen.example", "münchen.example")
        for text in ("192.0.2.11", "192.0.21.1", "2001:db8::1", "2001:db8:1::", "::1:2", "::12")
    ]
    assert len(set(names)) == len(names)


def unquoted(value: object) -> str:
    return str(value).strip('"')


if __name__ == "__main__":
    for file, export in EXPORTS.items():
        (GOLDEN / file).write_text(written(export, ZONES), "utf-8")
