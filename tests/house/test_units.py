"""The units for systemd: it understands them, and so does the command that they start."""

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
    """Those of the command that it starts."""
    command = dict(commands())[f"originmap {started_by(unit)[1]}"]
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def test_there_are_units() -> None:
    assert "originmap.service" in {unit.name for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_takes_its_options(unit: Path) -> None:
    program, _, *args = started_by(unit)
    assert program == INSTALLED
    known = {name for option in options(unit) for name in option.opts}
    assert {arg for arg in args if arg.startswith("--")} <= known


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_settings_that_it_names_are_settings(unit: Path) -> None:
    known = {option.envvar for option in options(unit)}
    assert set(re.findall(r"ORIGINMAP_[A-Z_]+", unit.read_text())) <= known


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_it_can_write_only_to_the_folder_of_its_database(unit: Path) -> None:
    service = read(unit)
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    args = started_by(unit)
    option = "--state" if "edge" in args else "--db"
    folder = f"/var/lib/{service['StateDirectory']}/"
    assert args[args.index(option) + 1].startswith(folder)


@pytest.mark.skipif(SYSTEMD_ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_it(unit: Path, tmp_path: Path) -> None:
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
