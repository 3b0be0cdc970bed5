"""Named servers: stored for one user, and used by commands without a server option."""

import json
import stat
from pathlib import Path

import pytest

from tests.process import TOKEN, Server
from tests.real.command import refusal, run


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("ORIGINMAP_DB", "ORIGINMAP_SERVER", "ORIGINMAP_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "ORIGINMAP_TOKEN": TOKEN}


def context(env: dict[str, str], *args: str) -> str:
    done = run("context", *args, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def file(env: dict[str, str]) -> Path:
    return Path(env["XDG_CONFIG_HOME"]) / "originmap" / "contexts.json"


def test_a_command_uses_the_current_context(tmp_path: Path, env: dict[str, str]) -> None:
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        context(env, "add", "prod", server.url)
        del env["ORIGINMAP_TOKEN"]
        assert "example.com" in run("zone", "list", env=env).stdout
        named = run("zone", "list", "--context", "prod", env=env)
        assert "example.com" in named.stdout


def test_the_first_context_is_current_until_another_is_selected(env: dict[str, str]) -> None:
    context(env, "add", "prod", "http://192.0.2.1:8787")
    context(env, "add", "lab", "http://192.0.2.2:8787")
    rows = json.loads(context(env, "list", "--json"))
    assert [(row["name"], row["in_use"]) for row in rows] == [("lab", False), ("prod", True)]
    context(env, "use", "lab")
    context(env, "remove", "prod")
    assert context(env, "list").split() == [
        "name", "server", "in_use", "lab", "http://192.0.2.2:8787", "yes"
    ]  # fmt: skip
    context(env, "remove", "lab")
    assert "originmap context add" in refusal("zone", "list", status=2, env=env)


def test_a_token_is_stored_for_its_user_only_and_never_printed(env: dict[str, str]) -> None:
    context(env, "add", "prod", "http://192.0.2.1:8787")
    assert TOKEN in file(env).read_text()
    assert stat.S_IMODE(file(env).stat().st_mode) == 0o600
    assert stat.S_IMODE(file(env).parent.stat().st_mode) == 0o700
    assert TOKEN not in context(env, "list", "--json")


def test_a_file_that_others_may_read_is_refused(env: dict[str, str]) -> None:
    context(env, "add", "prod", "http://192.0.2.1:8787")
    file(env).chmod(0o640)
    assert f"chmod 600 {file(env)}" in refusal("context", "list", env=env)


@pytest.mark.parametrize("text", ["", "{", '{"contexts": 5}', "[" * 100_000, "\xff"])
def test_a_damaged_file_is_named(env: dict[str, str], text: str) -> None:
    context(env, "add", "prod", "http://192.0.2.1:8787")
    file(env).write_text(text, "latin-1")
    assert str(file(env)) in refusal("zone", "list", env=env)


def test_an_unknown_name_is_reported_with_the_valid_ones(env: dict[str, str]) -> None:
    context(env, "add", "prod", "http://192.0.2.1:8787")
    assert "there are: prod" in refusal("context", "use", "prdo", env=env)
    assert "there are: prod" in refusal("zone", "list", "--context", "prdo", env=env)


def test_two_servers_for_one_command_are_refused(env: dict[str, str]) -> None:
    both = ("--server", "http://192.0.2.1:8787", "--context", "prod")
    assert "give one of" in refusal("zone", "list", *both, status=2, env=env)
