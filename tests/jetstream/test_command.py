"""`originmap publish nats` and `--follow nats://` as a user runs them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from originmap.cli.commands.server import edge, publish
from tests.jetstream.broker import Broker
from tests.jetstream.processes import Agent, Publisher
from tests.process import BEARER, ZONE, Server
from tests.real.command import output, refusal

SECRET = "secret-of-nats"
GUARDED = f"jetstream {{}}\nauthorization {{ user: someone, password: {SECRET} }}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("guarded"), GUARDED) as broker:
        yield broker


def titles_and_logs(*running: Publisher | Agent | Server) -> str:
    """Everything that other users or readers of logs see of processes."""
    found = []
    for each in running:
        found.append(Path(f"/proc/{each.process.pid}/cmdline").read_text())
        found.append(each.log.read_text())
    return "\n".join(found)


def test_an_agent_and_a_replica_follow_a_stream_and_show_no_credential(
    guarded: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "loaded", False)  # so that its command can be seen
    secret = tmp_path / "nats-credentials"
    secret.write_text(f"someone:{SECRET}\n")
    with Server(str(tmp_path / "primary.db"), tmp_path) as primary:
        token = output(
            "token", "create", "p", "--access", "replicate", "--db", str(tmp_path / "primary.db")
        ).strip()
        follow = f"{guarded.address}/ORIGINMAP"
        env = {"ORIGINMAP_TOKEN": token, "ORIGINMAP_NATS_CREDENTIALS": f"someone:{SECRET}"}
        given = ("--follow", follow, "--nats-credentials", str(secret))
        with (
            Publisher(primary.url, guarded, tmp_path, env) as publisher,
            Server(str(tmp_path / "replica.db"), tmp_path, "serve", given) as replica,
            Agent(tmp_path, given) as agent,
        ):
            mapping = f"{primary.mappings}/192.0.2.77"
            body = {"origin_ip": "192.0.2.77", "vendor": "aws", "region": "us-east-1"}
            own = BEARER
            httpx.put(mapping, json=body, headers=own).raise_for_status()
            agent.wait_for("192.0.2.77")
            read = f"{replica.api}/zones/{ZONE}/origin/cloud_regions/192.0.2.77"
            agent.until(lambda: httpx.get(read, headers=own).status_code == 200)
            refused = httpx.put(read, json=body, headers=own)
            assert refused.status_code == 421
            assert follow in refused.text
            agent.until(
                lambda: (
                    "edge-1" in httpx.get(f"{primary.url}/originmap/v1/followers", headers=own).text
                )
            )
            seen = titles_and_logs(publisher, replica, agent)
            assert publisher.stop() == 0
    assert SECRET not in seen
    assert SECRET not in agent.log.read_text() + publisher.log.read_text()


def test_wrong_credentials_are_reported_without_them(guarded: Broker, tmp_path: Path) -> None:
    env = {"ORIGINMAP_NATS_CREDENTIALS": "someone:wrong-password"}
    place = ["--write", f"csv={tmp_path / 'out.csv'}", "--state", tmp_path / "state", "--once"]
    shown = refusal("edge", "--follow", guarded.address, *place, env=env)
    assert "Authorization Violation" in shown
    assert "--nats-credentials" in shown
    assert "wrong-password" not in shown


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nats://user:pass@192.0.2.1", "remove the user and password"),
        ("nats://192.0.2.1/a.b", "is not the name of a stream"),
        ("nats://", "the URL has no host"),
        ("nats://192.0.2.1:99999", "is not a port"),
    ],
)
def test_a_malformed_url_is_refused(url: str, problem: str, tmp_path: Path) -> None:
    place = ["--write", f"csv={tmp_path / 'out.csv'}", "--state", str(tmp_path), "--once"]
    shown = CliRunner().invoke(edge.command, ["--follow", url, *place])
    assert shown.exit_code == 2
    assert problem in shown.output
    assert "pass@" not in shown.output


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["--servers", "http://192.0.2.1"], "nats://"),
        (["--servers", "nats://192.0.2.1/OTHER"], "--stream OTHER"),
        (["--servers", "nats://192.0.2.1", "--stream", "a b"], "is not the name of a stream"),
        (["--servers", "nats://192.0.2.1", "--follow", ""], "--follow is needed"),
    ],
)
def test_servers_and_stream_of_the_publisher_are_checked(given: list[str], problem: str) -> None:
    args = ["nats", "--follow", "http://127.0.0.1:1", *given]
    shown = CliRunner().invoke(publish.command, args, env={"ORIGINMAP_TOKEN": "token"})
    assert shown.exit_code == 2
    assert problem in shown.output


def without_nats(*args: str) -> subprocess.CompletedProcess[str]:
    """A command in a Python without nats-py."""
    program = (
        "import sys; sys.modules['nats'] = None; sys.argv[0] = 'originmap'\n"
        "from originmap.cli.main import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "ORIGINMAP_TOKEN": "token"},
    )


@pytest.mark.parametrize("command", ["edge", "publish"])
def test_without_nats_py_the_error_says_what_to_install(command: str, tmp_path: Path) -> None:
    args = {
        "edge": ("edge", "--follow", "nats://127.0.0.1", "--write", f"csv={tmp_path / 'out'}",
                 "--state", str(tmp_path / "state"), "--once"),
        "publish": ("publish", "nats", "--follow", "http://127.0.0.1:1", "--servers",
                    "nats://127.0.0.1"),
    }[command]  # fmt: skip
    done = without_nats(*args)
    assert done.returncode == 1
    assert "nats-py is not installed" in done.stderr
    assert "pip install 'originmap[nats]'" in done.stderr


def test_nothing_of_nats_is_loaded_for_http() -> None:
    program = (
        "import sys, originmap.bootstrap_edge, originmap.bootstrap_server\n"
        "from originmap.bootstrap_follow import feed_source\n"
        "from originmap.settings import EdgeSettings\n"
        "feed_source(EdgeSettings(follow='http://127.0.0.1:1'), 'node')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('nats', 'nkeys')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert re.fullmatch(r"\[\]\n", done.stdout), done
