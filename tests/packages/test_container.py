"""The container file: pinned base, no root, and steps that install a healthy server. The tests run
the steps in a folder; `make container` builds the image itself.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from originmap import __version__
from tests.house.test_docs import commands

ROOT = Path(__file__).parents[2]
PREFIX = "/opt/originmap"
COMPOSE = ROOT / "deploy" / "container" / "compose.yaml"


def steps() -> list[tuple[str, str]]:
    """Each instruction of the file with its arguments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text("utf-8"), flags=re.M)
    lines = text.replace("\\\n", "").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name]


def stage(number: int) -> list[tuple[str, str]]:
    """The instructions of one stage: 0 builds, 1 is the image."""
    starts = [index for index, (name, _) in enumerate(steps()) if name == "FROM"]
    assert len(starts) == 2
    return steps()[starts[number] + 1 : starts[1] if number == 0 else None]


def value(name: str) -> str:
    (found,) = [rest for instruction, rest in stage(1) if instruction == name]
    return found


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(value("ENV")))


def test_the_base_is_pinned_to_a_version() -> None:
    _, base = steps()[0]
    assert re.fullmatch(r"BASE=[a-z./]+/python:3\.\d+\.\d+-slim-[a-z]+(@sha256:\w{64})?", base)
    assert {rest.split()[0] for name, rest in steps() if name == "FROM"} == {"${BASE}"}


def test_the_image_has_no_extras_by_default() -> None:
    assert ("ARG", "REQUIREMENTS=run") in stage(0)


def test_the_image_does_not_run_as_root() -> None:
    names = [name for name, _ in stage(1)]
    assert int(value("USER")) > 0
    assert "RUN" not in names[names.index("USER") :]


def test_the_image_starts_commands_that_exist() -> None:
    known = {name for name, _ in commands()}
    start = json.loads(value("ENTRYPOINT")) + json.loads(value("CMD"))
    check = value("HEALTHCHECK").partition("CMD ")[2]
    assert " ".join(start) in known
    assert " ".join(json.loads(check)) in known


def test_the_context_has_only_copied_files() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    context = {line[1:] for line in lines if line.startswith("!")}
    copied = {source for name, rest in stage(0) if name == "COPY" for source in rest.split()[:-1]}
    assert copied == context


def test_the_compose_file_drops_every_capability() -> None:
    service = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["originmap"]
    assert service["image"] == f"originmap:{__version__}"
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == [f"data:{value('VOLUME')}"]
    assert (COMPOSE.parent / service["build"]["context"]).resolve() == ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's folder /opt/originmap."""
    work, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("opt") / "originmap"
    arguments = {"REQUIREMENTS": "extras"}
    for name, rest in stage(0):
        if name == "COPY":
            copy(*rest.split(), work=work)
        elif name == "RUN":
            words = rest.replace(PREFIX, str(target))
            done = subprocess.run(
                words, shell=True, cwd=work, env={**os.environ, **arguments},
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    return target


def copy(*names: str, work: Path) -> None:
    *sources, target = names
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, work / target)
        else:
            (work / target).mkdir(exist_ok=True)
            shutil.copy(ROOT / source, work / target)


@pytest.fixture
def variables(installed: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of the image, with temporary folders and a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = {name: text.replace("/var/lib", str(tmp_path)) for name, text in environment().items()}
    here["PATH"] = f"{installed / 'bin'}:{os.defpath}"
    (tmp_path / "originmap").mkdir()
    return {**here, "ORIGINMAP_HOST": "127.0.0.1", "ORIGINMAP_PORT": str(port)}


def test_the_steps_install_a_server_that_is_healthy(
    installed: Path, variables: dict[str, str]
) -> None:
    assert not list((installed / "lib").rglob("pip"))
    extras = [installed / "bin" / "python", "-c", "import grpc, nats, originmap.xds.server"]
    assert subprocess.run(extras).returncode == 0
    healthy = [installed / "bin" / "originmap", "health"]
    with subprocess.Popen(
        [installed / "bin" / "originmap", *json.loads(value("CMD"))],
        env=variables,
        stdout=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 30
        while subprocess.run(healthy, env=variables, capture_output=True).returncode:
            assert server.poll() is None
            assert time.monotonic() < deadline
        server.send_signal(getattr(signal, value("STOPSIGNAL")))
        assert server.wait(20) == 0
    assert Path(variables["ORIGINMAP_DB"]).is_file()
    assert subprocess.run(healthy, env=variables, capture_output=True).returncode == 1
