"""Wheel and sdist: built twice, compared, and installed with the locked dependencies into new
environments, for each version of Python on this machine.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scripts.wheels import LOCK, PYTHONS
from tests.process import TOKEN, ZONE

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
UV = Path(sys.executable).with_name("uv")
EPOCH = "1800000000"
ITS_OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
IMPORTS = """
import importlib.metadata, importlib.resources, originmap
assert originmap.__version__ == importlib.metadata.version("originmap")
assert (importlib.resources.files(originmap) / "py.typed").is_file()
print(originmap.__file__)
"""
FIXTURE = """
import urllib.request

def test_a_zone_is_there(originmap):
    request = urllib.request.Request(f"{originmap.base_url}/zones/{originmap.zone_id}")
    request.add_header("Authorization", f"Bearer {originmap.token}")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    assert [r.operation for r in originmap.requests] == ["get_zone"]
    assert originmap.mappings() == {}
"""


def uv(*words: str | Path, **environment: str) -> None:
    """Run uv, which downloads packages that are not in its cache from the package index."""
    done = subprocess.run(
        [UV, "--quiet", "--no-python-downloads", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def build(source: Path, folder: Path, kind: str, epoch: str = EPOCH) -> Path:
    """Build a package; `kind` is --wheel or --sdist."""
    words = ("build", kind, "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    uv(*words, source, SOURCE_DATE_EPOCH=epoch)
    (built,) = [path for path in folder.iterdir() if path.suffix in (".whl", ".gz")]
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "--wheel")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="module", params=PYTHONS)
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder with the programs of a new environment with the wheel."""
    python = sys.executable if request.param == ITS_OWN else found(request.param)
    if python is None:
        pytest.skip(f"Python {request.param} is not installed")
    folder = tmp_path_factory.mktemp("installed")
    uv("venv", "--python", python, folder / "venv")
    into = ("pip", "install", "--python", folder / "venv")
    uv(*into, "--only-binary", ":all:", "--require-hashes", "--requirement", LOCK)
    uv(*into, "--no-deps", "--no-index", wheel)
    return folder / "venv" / "bin"


def found(version: str) -> str | None:
    """The path of the interpreter of this version."""
    if shutil.which(f"python{version}") is None:
        return None
    done = subprocess.run(
        [f"python{version}", "-c", "import sys; print(sys.executable)"],
        env={**os.environ, "PYENV_VERSION": version},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or None


def run(*words: str | Path, folder: Path) -> str:
    done = subprocess.run(
        words, cwd=folder, env=bare(folder), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def bare(home: Path) -> dict[str, str]:
    """The environment of a user without settings."""
    return {"HOME": str(home), "PATH": os.defpath, "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(*words: str | Path, folder: Path) -> Iterator[str]:
    """The URL of a server that must end with exit status 0."""
    with subprocess.Popen(
        words, cwd=folder, env=bare(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert url is not None
        yield url[0]
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    files = {
        path.relative_to(SOURCE).as_posix(): digest(path.read_bytes())
        for path in (SOURCE / "originmap").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = contents(wheel)
    extra = {name for name in inside if ".dist-info/" not in name}
    assert extra == files.keys()
    assert files.items() <= inside.items()
    kinds = {Path(name).suffix for name in files}
    assert kinds >= {".csv", ".json", ".py", ".sql", ".typed"}


def test_the_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = build(source, tmp_path / "wheel", "--wheel")
    assert digest(again.read_bytes()) == digest(wheel.read_bytes())


def test_the_same_source_gives_the_same_bytes(sdist: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, copy / name)  # neither the time nor the mode of a file matters
    shutil.copytree(SOURCE, copy / "src", copy_function=shutil.copyfile)
    again = build(copy, tmp_path / "again", "--sdist")
    assert digest(again.read_bytes()) == digest(sdist.read_bytes())


def test_the_metadata_has_dependencies_and_links(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
    assert "uvloop>=0.21; sys_platform != 'win32'" in text
    assert "pip install originmap" in text


def test_the_command_runs(installed: Path, tmp_path: Path) -> None:
    command = installed / "originmap"
    assert run(command, "--version", folder=tmp_path).startswith("originmap, version ")
    assert "us-east-1" in run(command, "regions", folder=tmp_path)


def test_the_package_is_imported_from_the_environment(installed: Path, tmp_path: Path) -> None:
    file = run(installed / "python", "-W", "error", "-c", IMPORTS, folder=tmp_path)
    assert file.startswith(str(installed.parent))


def test_the_development_server_responds(installed: Path, tmp_path: Path) -> None:
    words = (installed / "originmap", "dev", "--port", "0", "--db", ":memory:")
    with running(*words, folder=tmp_path) as url:
        answer = httpx.put(
            f"{url}/client/v4/zones/{ZONE}/origin/cloud_regions/192.0.2.1",
            json={"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        document = httpx.get(f"{url}/originmap/v1/openapi.json")
    assert answer.status_code == document.status_code == 200


def test_the_fixture_works_without_other_plugins(installed: Path, tmp_path: Path) -> None:
    versions = ("--constraint", ROOT / "requirements" / "test.txt")
    uv("pip", "install", "--python", installed.parent, *versions, "pytest")
    (tmp_path / "test_fixture.py").write_text(FIXTURE)
    words = (installed / "python", "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 passed" in run(*words, folder=tmp_path)


def contents(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: digest(archive.read(name)) for name in archive.namelist()}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
