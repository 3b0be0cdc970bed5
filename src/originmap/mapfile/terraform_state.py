"""Reads mappings from a Terraform or OpenTofu state: the output of `terraform show -json`, or the
state file itself (format 4).

Rejects input that is not an unambiguous state: a plan, a deposed object, two resources for one
address. The formats are those of
https://developer.hashicorp.com/terraform/internals/json-format and of Terraform's
internal/states/statefile/version4.go.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from originmap.domain.errors import InvalidAddress
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Place
from originmap.domain.plan.plan import shown
from originmap.domain.zone.name import is_zone_id
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.json_events import json_problem
from originmap.mapfile.reader import bytes_of, decoded
from originmap.mapfile.terraform import TYPE
from originmap.mapfile.writer import ZoneState

_ZIP = b"PK\x03\x04"
_SHOW = "create one by: terraform show -json > state.json, or terraform state pull > state.json"
_NO_FILE = "run terraform show -json without a file"
_DEPOSED = "run terraform apply, which destroys deposed objects, and create the state file again"
_DUPLICATE = (
    "keep one resource for each address of a zone: terraform state rm ADDRESS removes one from a"
    " state"
)

# The top-level members that only a plan has.
_OF_A_PLAN = {
    "planned_values",
    "prior_state",
    "resource_changes",
    "resource_drift",
    "output_changes",
}
_OF_A_STATE = {"format_version", "terraform_version", "values", "checks"}
_OF_A_STATE_FILE = {"terraform_version", "serial", "lineage", "resources", "modules", "backend"}


class _Values(msgspec.Struct):
    zone_id: str | None = None
    origin_ip: str | None = None
    vendor: str | None = None
    region: str | None = None


class _Resource(msgspec.Struct):
    type: str
    address: str = ""
    mode: str = "managed"
    values: msgspec.Raw = msgspec.Raw(b"{}")
    deposed_key: str | None = None


class _Module(msgspec.Struct):
    resources: list[_Resource] | None = None
    child_modules: list["_Module"] | None = None


class _Root(msgspec.Struct):
    root_module: _Module | None = None


class _Shown(msgspec.Struct):
    format_version: str
    values: _Root | None = None


class _FileInstance(msgspec.Struct):
    attributes: msgspec.Raw = msgspec.Raw(b"null")
    attributes_flat: msgspec.Raw = msgspec.Raw(b"null")
    index_key: int | str | None = None
    deposed: str | None = None


class _FileResource(msgspec.Struct):
    type: str
    name: str
    mode: str = "managed"
    module: str = ""
    instances: list[_FileInstance] | None = None


class _StateFile(msgspec.Struct):
    version: int
    resources: list[_FileResource] | None = None


class _Object(NamedTuple):
    """An object of a state: its resource address, its values as JSON, and its key if deposed."""

    address: str
    values: msgspec.Raw
    deposed: str | None


def read_state(file: Path) -> list[ZoneState]:
    """Read the mappings of a state, by zone id. Raises UnusableFile, or WrongSource with all
    problems."""
    data = bytes_of(file)
    if data.startswith(_ZIP):
        raise UnusableFile(str(file), "this is a plan, not a state", _NO_FILE)
    text = decoded(file, data)
    try:
        return _zones(file, list(_objects(file, text)))
    except (msgspec.MsgspecError, RecursionError) as error:
        log = text.lstrip().startswith('{"@')
        reason = f"{file}: this is the log of a command with -json, not a state"
        problem = reason if log else json_problem(str(file), text, error)
        raise WrongSource([problem], _SHOW) from error


def _objects(file: Path, text: str) -> Iterator[_Object]:
    try:
        top = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # it is JSON
        raise UnusableFile(str(file), "not a state: it is not a JSON object", _SHOW) from None
    if _OF_A_PLAN & top.keys():
        raise UnusableFile(str(file), "this is a plan, not a state", _NO_FILE)
    if "encrypted_data" in top:
        raise UnusableFile(str(file), "this state is encrypted", "run tofu show -json > state.json")
    if "format_version" in top and ("values" in top or top.keys() <= _OF_A_STATE):
        state = msgspec.json.decode(text, type=_Shown)
        if state.format_version.partition(".")[0] not in ("0", "1"):
            reason = f"format_version {state.format_version!r} is not supported; use 0 or 1"
            raise UnusableFile(str(file), reason)
        root = state.values.root_module if state.values else None
        return _module_objects(root or _Module())
    if "version" in top and _OF_A_STATE_FILE & top.keys():
        _check_version(file, top)
        return _file_objects(msgspec.json.decode(text, type=_StateFile))
    raise UnusableFile(str(file), _why_not_state(top), _SHOW)


def _check_version(file: Path, top: dict[str, msgspec.Raw]) -> None:
    version = msgspec.json.decode(top["version"], type=int)
    if "backend" in top and "resources" not in top:
        reason = "this is the configuration of a backend, not a state"
        raise UnusableFile(str(file), reason, "run terraform state pull > state.json")
    if version < 4:
        reason = f"state file format {version} (Terraform before 0.12) is not supported; use 4"
        hint = "run terraform apply -refresh-only with a newer Terraform, and create the file again"
        raise UnusableFile(str(file), reason, hint)
    if version > 4:
        reason = f"state file format {version} is not supported; use 4"
        raise UnusableFile(str(file), reason, _SHOW)


def _why_not_state(top: dict[str, msgspec.Raw]) -> str:
    """Why a JSON object is not a state."""
    if "provider_schemas" in top:
        return "this is the output of terraform providers schema -json, not a state"
    if "format_version" in top:
        return f"not a state: it has no values, but {', '.join(sorted(top.keys() - _OF_A_STATE))}"
    if "@level" in top or "@message" in top:
        return "this is the log of a command with -json, not a state"
    if top and all(_is_output(value) for value in top.values()):
        return "this is the output of terraform output -json, not a state"
    return "not a state: it has no format_version"


def _is_output(value: msgspec.Raw) -> bool:
    try:
        return {"value", "type"} <= msgspec.json.decode(value, type=dict[str, msgspec.Raw]).keys()
    except msgspec.MsgspecError:
        return False


def _module_objects(module: _Module) -> Iterator[_Object]:
    for resource in module.resources or ():
        if resource.type == TYPE and resource.mode == "managed":
            yield _Object(resource.address, resource.values, resource.deposed_key)
    for child in module.child_modules or ():
        yield from _module_objects(child)


def _file_objects(state: _StateFile) -> Iterator[_Object]:
    for resource in state.resources or ():
        if resource.type != TYPE or resource.mode != "managed":
            continue
        address = f"{resource.module}." if resource.module else ""
        address += f"{resource.type}.{resource.name}"
        for instance in resource.instances or ():
            key = instance.index_key
            index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
            flat = bytes(instance.attributes) == b"null"
            values = instance.attributes_flat if flat else instance.attributes
            yield _Object(address + index, values, instance.deposed)


def _zones(file: Path, objects: list[_Object]) -> list[ZoneState]:
    zones: dict[str, dict[Address, Place]] = {}
    first: dict[tuple[str, Address], str] = {}
    problems: list[str] = []
    duplicate = False
    for each in objects:
        try:
            zone, address, place = _mapping(each)
        except ValueError as error:
            problems.append(f"{file}: {each.address}: {error}")
            continue
        mappings = zones.setdefault(zone, {})
        if address in mappings:
            duplicate = True
            text = f"duplicate {addresses.text(address)}; first at {first[zone, address]}"
            if mappings[address] != place:
                text += f", in {shown(mappings[address])}, and in {shown(place)} here"
            problems.append(f"{file}: {each.address}: {text}")
        else:
            mappings[address] = place
            first[zone, address] = each.address
    if any(each.deposed for each in objects):
        raise WrongSource(problems, _DEPOSED)
    if problems:
        raise WrongSource(problems, _DUPLICATE if duplicate else "")
    return [ZoneState(zone, state) for zone, state in sorted(zones.items())]


def _mapping(each: _Object) -> tuple[str, Address, Place]:
    """Zone, address and place of an object. Raises ValueError."""
    if each.deposed:
        raise ValueError(f"a deposed object ({each.deposed}), which Terraform will destroy")
    values = msgspec.json.decode(each.values, type=_Values | None) or _Values()
    missing = [
        name for name in values.__struct_fields__ if not (getattr(values, name) or "").strip()
    ]
    if missing:
        raise ValueError(f"missing {', '.join(missing)}")
    zone_id = str(values.zone_id).lower()
    if not is_zone_id(zone_id):
        raise ValueError(f"zone_id {values.zone_id!r} is not a zone id: 32 hexadecimal digits")
    try:
        address = addresses.parse(values.origin_ip)
    except InvalidAddress:
        raise ValueError(f"origin_ip {values.origin_ip!r} is not an origin IP address") from None
    return zone_id, address, Place(str(values.vendor), str(values.region))
