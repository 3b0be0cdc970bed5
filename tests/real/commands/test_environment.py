"""Commands in unusual environments: no home folder, closed streams, invalid variables."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from originmap.settings import state_folder
from tests.process import COMMAND, TOKEN, Server
from tests.real.command import refusal, run

NOBODY = 2_000_000_017
"""A user ID without a passwd entry."""
TOKENS = {"ORIGINMAP_TOKEN": TOKEN, "CLOUDFLARE_API_TOKEN": TOKEN}
CAN_CHANGE_USER = os.geteuid() == 0 and shutil.which("setpriv") is not None
as_nobody = pytest.mark.skipif(not CAN_CHANGE_USER, reason="needs root and setpriv")


def run_as_nobody(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user without passwd entry and home folder, with root's read access."""
    rights = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return subprocess.run(
        ["setpriv", *user, *rights, COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=30,
        cwd="/",
        env={"PATH": os.environ["PATH"], **TOKENS, **env},
    )


def test_the_state_folder_follows_the_xdg_specification() -> None:
    home = Path("/home/a/.local/state/originmap")
    assert state_folder({"XDG_STATE_HOME": "/x", "HOME": "/home/a"}) == Path("/x/originmap")
    for ignored in ("", "x", "./x", "~/x"):
        assert state_folder({"XDG_STATE_HOME": ignored, "HOME": "/home/a"}) == home
    for environment in ({}, {"HOME": ""}, {"HOME": "relative"}):
        assert state_folder(environment, NOBODY) is None
        assert state_folder(environment, 0) is not None


@as_nobody
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["apply", "m.yaml", "--yes"], "set XDG_STATE_HOME"),
        (["detect", "192.0.2.1"], "set --ranges, ORIGINMAP_RANGES or XDG_STATE_HOME"),
        (["ranges", "status"], "set --ranges, ORIGINMAP_RANGES or XDG_STATE_HOME"),
        (["init", "--zone", "example.com", "192.0.2.1"], "or XDG_STATE_HOME"),
        (["edge", "--follow", "http://127.0.0.1:1", "--write", "csv=/x"], "or give --state"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_without_a_home_folder_a_command_names_the_variable_to_set(
    args: list[str], says: str
) -> None:
    done = run_as_nobody(*args)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert says in done.stderr
    _, _, *rest = done.stderr.splitlines()
    assert all(line.startswith("  see docs/") for line in rest)
    assert len(rest) <= 1


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that every user can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@as_nobody
def test_plan_and_apply_work_without_a_home_folder_or_report_the_reason(
    readable: Path, dev: Server
) -> None:
    file = readable / "m.yaml"
    file.write_text("zones:\n  example.com:\n    mappings:\n      192.0.2.1: aws/us-east-1\n")
    api = ("--api", dev.api)
    assert run_as_nobody("plan", file, *api).returncode == 2
    for home in ("/nonexistent", "/etc/passwd", str(readable)):
        done = run_as_nobody("apply", file, "--yes", *api, HOME=home)
        assert done.returncode == 1
        assert "the state folder" in done.stderr
        assert "cannot be written" in done.stderr
        assert "set XDG_STATE_HOME" in done.stderr
    state = readable / "state"
    state.mkdir()
    state.chmod(0o777)
    done = run_as_nobody("apply", file, "--yes", *api, XDG_STATE_HOME=str(state))
    assert done.returncode == 0, done.stderr
    assert run_as_nobody("apply", file, "--yes", *api, HOME="/nonexistent").returncode == 0


@as_nobody
@pytest.mark.parametrize("args", [["serve", "--db", ":memory:"], ["dev"]], ids=["serve", "dev"])
def test_a_server_starts_without_a_home_folder(args: list[str]) -> None:
    rights = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    with subprocess.Popen(
        ["setpriv", *user, *rights, COMMAND, *args, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            assert process.stdout is not None
            assert "http://127.0.0.1:" in process.stdout.readline()
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("args", "variable", "value"),
    [
        (["serve", "--db", ":memory:"], "ORIGINMAP_PORT", "abc"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_HISTORY_CHANGES", "1.5"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_METRICS", "maybe"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_RATE_LIMIT", "x"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_COLO", "singapore"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_FOLLOW", "http://user:secret@h"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_SERVE_ENABLE_V1", "2"),
        (["serve", "--db", ":memory:"], "ORIGINMAP_NAME", "a b"),
        (["edge", "--write", "csv=/x"], "ORIGINMAP_TOKEN_FILE", "/nonexistent"),
        (["edge", "--write", "csv=/x"], "ORIGINMAP_EDGE_INTERVAL", "nan"),
        (["rollout", "status"], "ORIGINMAP_SERVER", "primary:8787"),
        (["dump"], "CLOUDFLARE_BASE_URL", "api.example.net"),
    ],
)
def test_an_invalid_value_from_the_environment_is_reported_with_the_variable(
    args: list[str], variable: str, value: str
) -> None:
    said = refusal(*args, status=2, env={variable: value})
    assert f"Invalid value for {variable} ('--" in said
    assert "secret" not in said


def test_plan_reports_the_variable_too() -> None:
    said = refusal("plan", "m.yaml", env={"CLOUDFLARE_BASE_URL": "http://::1:8787"})
    assert "Invalid value for CLOUDFLARE_BASE_URL ('--api')" in said


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CLOUDFLARE_API_TOKEN", "secret\nsecret", "a line break"),
        ("CLOUDFLARE_API_TOKEN", "sécret", "not ASCII"),
        ("CLOUDFLARE_API_TOKEN", '"secret"', "starts with a quote"),
        ("CLOUDFLARE_API_TOKEN", "Bearer secret", "starts with Bearer"),
        ("CLOUDFLARE_API_TOKEN", "\ufeffsecret", "not ASCII"),
        ("CLOUDFLARE_API_KEY", "sec ret", "a blank"),
        ("CLOUDFLARE_EMAIL", "ü@example.com", "not ASCII"),
        ("CLOUDFLARE_API_TOKEN", "  ", "set CLOUDFLARE_API_TOKEN"),
        ("CLOUDFLARE_API_TOKEN", "", "set CLOUDFLARE_API_TOKEN"),
    ],
)
def test_credentials_that_cannot_be_sent_are_reported_with_the_variable(
    variable: str, value: str, says: str
) -> None:
    said = refusal("dump", "--api", "http://127.0.0.1:1", env={variable: value})
    assert variable in said
    assert says in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "setting",
    [
        "COLUMNS=abc",
        "COLUMNS=0",
        "COLUMNS=-1",
        "TZ=nowhere/x",
        "TMPDIR=/nonexistent",
        "LC_ALL=C",
        "PYTHONIOENCODING=ascii",
        "NO_COLOR=1",
        "PAGER=/nonexistent",
        "XDG_CONFIG_HOME=x",
    ],
)
def test_variables_of_other_programs_have_no_effect(setting: str) -> None:
    name, _, value = setting.partition("=")
    done = run("topology", "show", "--help", env={name: value})
    assert (done.returncode, done.stderr) == (0, "")
    done = run("regions", env={name: value})
    assert (done.returncode, done.stderr) == (0, "")
    assert "us-east-1" in done.stdout


def test_variables_of_the_libraries_of_a_server_have_no_effect(tmp_path: Path) -> None:
    env = {
        "WEB_CONCURRENCY": "abc",
        "FORWARDED_ALLOW_IPS": "*",
        "PROMETHEUS_MULTIPROC_DIR": "/nonexistent",
        "TMPDIR": "/nonexistent",
        "SSL_CERT_FILE": "/nonexistent",
        "HTTP_PROXY": "nonsense://",
    }
    with Server(":memory:", tmp_path, env=env) as server:
        assert "originmap_" in httpx.get(f"{server.url}/metrics").text


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "O": COMMAND},
    )


@pytest.mark.parametrize(
    "line",
    [
        '"$O" regions >&-',
        '"$O" regions --json <&- >&- 2>&-',
        '"$O" regions --json | head -c 10; exit 0',
        '"$O" schema | true; exit 0',
        'PYTHONIOENCODING=ascii "$O" regions',
        'PYTHONIOENCODING=latin-1 "$O" --help',
    ],
)
def test_a_closed_stdout_causes_no_traceback(line: str) -> None:
    done = shell(line)
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_full_stdout_is_reported() -> None:
    done = shell('"$O" regions > /dev/full')
    assert done.returncode == 1
    assert done.stderr == "originmap: cannot write to stdout: No space left on device\n"
