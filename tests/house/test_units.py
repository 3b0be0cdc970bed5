"""The units for systemd: systemd accepts them, and the command accepts their options."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from tests.house.test_docs import commands
from tests.process import COMMAND

UNITS = sorted((Path(__file__).parents[2] / "deploy/systemd").glob("*.service"))
INSTALLED = "/opt/originmap/bin/originmap"
SYSTEMD_ANALYZE = shutil.which("systemd-analyze")


def read(unit: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(unit)
    return parser["Service"]


def started_by(unit: Path) -> list[str]:
    return shlex.split(read(unit)["ExecStart"])


def options(unit: Path) -> list[click.Option]:
    """The options of the command that the unit starts."""
    command = dict(commands())[f"originmap {started_by(unit)[1]}"]
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def test_the_folder_has_units() -> None:
    assert "originmap.service" in {unit.name for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_accepts_the_options_of_the_unit(unit: Path) -> None:
    program, _, *args = started_by(unit)
    assert program == INSTALLED
    known = {name for option in options(unit) for name in option.opts}
    assert {arg for arg in args if arg.startswith("--")} <= known


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_settings_in_a_unit_exist(unit: Path) -> None:
    known = {option.envvar for option in options(unit)}
    assert set(re.findall(r"ORIGINMAP_[A-Z_]+", unit.read_text())) <= known


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_can_write_only_to_the_folder_of_its_database(unit: Path) -> None:
    service = read(unit)
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    args = started_by(unit)
    option = "--state" if "edge" in args else "--db"
    folder = f"/var/lib/{service['StateDirectory']}/"
    assert args[args.index(option) + 1].startswith(folder)


@pytest.mark.skipif(SYSTEMD_ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name.replace("@.", "@sin.")
    copy.write_text(unit.read_text().replace(INSTALLED, COMMAND))
    done = subprocess.run(
        [SYSTEMD_ANALYZE or "", "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    told = [line for line in done.stderr.splitlines() if unit.name.split(".")[0] in line]
    assert told == []
