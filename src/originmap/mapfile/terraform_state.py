"""The mappings in a state of Terraform or OpenTofu: what `terraform show -json` prints of one, and
the state file itself (format 4).

Refuses whatever is not the one state of the mappings: a plan, an object that is to be destroyed,
two resources for one address. The forms are those of
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
from originmap.domain.zone.name import may_be_zone
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.json_events import json_problem
from originmap.mapfile.reader import bytes_of, decoded
from originmap.mapfile.terraform import TYPE
from originmap.mapfile.writer import ZoneState

_ZIP = b"PK\x03\x04"
_SHOW = "make one with: terraform show -json > state.json, or terraform state pull > state.json"
_NO_FILE = "run terraform show -json without a file"
_DEPOSED = (
    "run terraform apply to its end, which destroys deposed objects; then make the state again"
)

# The members that only a plan has at its top.
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
    """An object of a state: its address, its values as JSON, and its key if it is deposed."""

    address: str
    values: msgspec.Raw
    deposed: str | None


def read_state(file: Path) -> list[ZoneState]:
    """The mappings in a state, by zone id. Raises UnusableFile, or WrongSource with all that is
    wrong."""
    data = bytes_of(file)
    if data.startswith(_ZIP):
        raise UnusableFile(str(file), "this is a plan, not a state", _NO_FILE)
    text = decoded(file, data)
    try:
        return _zones(file, list(_objects(file, text)))
    except (msgspec.MsgspecError, RecursionError) as error:
        log = text.lstrip().startswith('{"@')
        reason = "this is the log of a command with -json" if log else ""
        problem = f"{file}: {reason}" if log else json_problem(str(file), text, error)
        raise WrongSource([f"{problem}; not a state" if log else problem], _SHOW) from error


def _objects(file: Path, text: str) -> Iterator[_Object]:
    try:
        top = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # it is JSON
        raise UnusableFile(str(file), "not a state: a state is an object of JSON", _SHOW) from None
    if _OF_A_PLAN & top.keys():
        raise UnusableFile(str(file), "this is a plan, not a state", _NO_FILE)
    if "encrypted_data" in top:
        raise UnusableFile(str(file), "this state is encrypted", "run tofu show -json > state.json")
    if "format_version" in top and ("values" in top or top.keys() <= _OF_A_STATE):
        state = msgspec.json.decode(text, type=_Shown)
        if state.format_version.partition(".")[0] not in ("0", "1"):
            reason = f"format_version {state.format_version!r} is unknown; 0 and 1 are known"
            raise UnusableFile(str(file), reason)
        root = state.values.root_module if state.values else None
        return _shown_objects(root or _Module())
    if "version" in top and _OF_A_STATE_FILE & top.keys():
        _check_version(file, top)
        return _file_objects(msgspec.json.decode(text, type=_StateFile))
    raise UnusableFile(str(file), _what_else(top), _SHOW)


def _check_version(file: Path, top: dict[str, msgspec.Raw]) -> None:
    version = msgspec.json.decode(top["version"], type=int)
    if "backend" in top and "resources" not in top:
        reason = "this is the configuration of a backend, not a state"
        raise UnusableFile(str(file), reason, "run terraform state pull > state.json")
    if version < 4:
        reason = f"a state file of format {version}, which Terraform wrote before 0.12; 4 is read"
        hint = "run terraform apply -refresh-only with a newer Terraform, then make the state again"
        raise UnusableFile(str(file), reason, hint)
    if version > 4:
        raise UnusableFile(str(file), f"a state file of format {version}; 4 is read", _SHOW)


def _what_else(top: dict[str, msgspec.Raw]) -> str:
    """What a JSON object is that is no state."""
    if "provider_schemas" in top:
        return "this is what terraform providers schema -json prints, not a state"
    if "format_version" in top:
        return f"not a state: it has no values, but {', '.join(sorted(top.keys() - _OF_A_STATE))}"
    if "@level" in top or "@message" in top:
        return "this is the log of a command with -json, not a state"
    if top and all(_is_output(value) for value in top.values()):
        return "this is what terraform output -json prints, not a state"
    return "it has no format_version, so it is no such state"


def _is_output(value: msgspec.Raw) -> bool:
    try:
        return {"value", "type"} <= msgspec.json.decode(value, type=dict[str, msgspec.Raw]).keys()
    except msgspec.MsgspecError:
        return False


def _shown_objects(module: _Module) -> Iterator[_Object]:
    for resource in module.resources or ():
        if resource.type == TYPE and resource.mode == "managed":
            yield _Object(resource.address, resource.values, resource.deposed_key)
    for child in module.child_modules or ():
        yield from _shown_objects(child)


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
    for each in objects:
        try:
            zone, address, place = _mapping(each)
        except ValueError as error:
            problems.append(f"{file}: {each.address}: {error}")
            continue
        there = zones.setdefault(zone, {})
        if address in there:
            text = f"{addresses.text(address)} is here twice; first at {first[zone, address]}"
            if there[address] != place:
                text += f", in {shown(there[address])}, and in {shown(place)} here"
            problems.append(f"{file}: {each.address}: {text}")
        else:
            there[address] = place
            first[zone, address] = each.address
    if problems:
        raise WrongSource(problems, _DEPOSED if any(each.deposed for each in objects) else "")
    return [ZoneState(zone, state) for zone, state in sorted(zones.items())]


def _mapping(each: _Object) -> tuple[str, Address, Place]:
    """Zone, address and place of an object. Raises ValueError."""
    if each.deposed:
        raise ValueError(f"a deposed object ({each.deposed}), which is about to be destroyed")
    values = msgspec.json.decode(each.values, type=_Values | None) or _Values()
    missing = [
        name for name in values.__struct_fields__ if not (getattr(values, name) or "").strip()
    ]
    if missing:
        raise ValueError(f"there is no {' and no '.join(missing)}")
    if not may_be_zone(str(values.zone_id)):
        raise ValueError(f"zone_id {values.zone_id!r} is not the id of a zone")
    try:
        address = addresses.parse(values.origin_ip)
    except InvalidAddress:
        raise ValueError(f"origin_ip {values.origin_ip!r} is no address of an origin") from None
    return str(values.zone_id), address, Place(str(values.vendor), str(values.region))
