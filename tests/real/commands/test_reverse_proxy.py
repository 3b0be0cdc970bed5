"""Servers behind proxies: with a path prefix, with TLS of a private CA, over IPv6."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faulty import Proxy
from tests.process import BEARER, COMMAND, TOKEN, ZONE, Server
from tests.real.command import output, refusal, run
from tests.real.reverse_proxy import CA, Front

NO_TRUST = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}
TRUST = {"SSL_CERT_FILE": str(CA)}
TOKENS = {"ORIGINMAP_TOKEN": TOKEN, "CLOUDFLARE_API_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"}
HINT = "set SSL_CERT_FILE to a file with the certificate of that CA"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(str(folder / "dev.db"), folder, args=["--no-log-requests"]) as server:
        item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        httpx.put(f"{server.mappings}/192.0.2.1", json=item, headers=BEARER).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def front(behind: Server) -> Iterator[Front]:
    with Front(behind.url) as front:
        yield front


def commands(front: Front, folder: Path, slash: str = "") -> dict[str, list[str]]:
    """Every command with the URL of a server that exits by itself."""
    follow = ["--follow", front.url + slash]
    write = ["--write", f"csv={folder / 'out.csv'}", "--state", str(folder / "state")]
    (folder / "m.yaml").write_text(
        "zones:\n  example.com:\n    mappings:\n      192.0.2.1: aws/us-east-1\n"
    )
    return {
        "dump": ["dump", "--api", front.api + slash],
        "plan": ["plan", str(folder / "m.yaml"), "--api", front.api + slash],
        "rollout": ["rollout", "status", "--server", front.url + slash],
        "edge": ["edge", *follow, *write, "--once"],
        "dry run": ["edge", *follow, *write, "--dry-run"],
    }


NAMES = ["dump", "plan", "rollout", "edge", "dry run"]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_can_use_a_url_with_a_path(front: Front, tmp_path: Path, name: str) -> None:
    done = run(*commands(front, tmp_path, "/")[name], env={**TOKENS, **TRUST})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_an_untrusted_certificate_fails_without_retries(
    front: Front, tmp_path: Path, name: str
) -> None:
    said = refusal(*commands(front, tmp_path)[name], env={**TOKENS, **NO_TRUST})
    assert "certificate is not trusted: unable to get local issuer certificate" in said
    assert HINT in said
    assert "waiting" not in said


def test_a_replica_can_follow_a_url_with_a_path(front: Front, tmp_path: Path) -> None:
    args = ["--follow", front.url, "--no-log-requests"]
    with Server(":memory:", tmp_path, "serve", args, {**TOKENS, **TRUST}) as replica:
        url = f"{replica.mappings}/192.0.2.1"
        for _ in range(200):
            answer = httpx.get(url, headers=BEARER)
            if answer.status_code == 200:
                break
            time.sleep(0.05)
        assert answer.json()["result"]["region"] == "us-east-1"


@pytest.mark.parametrize("what", ["serve", "edge"])
def test_a_new_follower_exits_on_an_untrusted_certificate(
    front: Front, tmp_path: Path, what: str
) -> None:
    own = {
        "serve": ["--db", ":memory:", "--port", "0"],
        "edge": ["--write", f"csv={tmp_path / 'out.csv'}", "--state", str(tmp_path / "state")],
    }
    done = run(what, "--follow", front.url, *own[what], env={**TOKENS, **NO_TRUST})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert HINT in done.stderr


def test_the_name_in_the_certificate_must_be_that_of_the_url(front: Front) -> None:
    api = front.api.replace("localhost", "127.1")
    said = refusal("dump", "--api", api, env={**TOKENS, **TRUST})
    assert "certificate is not trusted" in said
    assert "use the hostname in the certificate" in said


def test_https_to_a_port_without_tls_fails_without_retries(behind: Server) -> None:
    api = behind.api.replace("http://", "https://")
    said = refusal("dump", "--api", api, env={**TOKENS, **TRUST})
    assert "does not use TLS on this port, use http://" in said
    assert "waiting" not in said


def test_the_error_of_a_wrong_path_names_it(front: Front, tmp_path: Path) -> None:
    wrong = front.url.removesuffix("/here")
    said = refusal("dump", "--api", f"{wrong}/client/v4", env={**TOKENS, **TRUST})
    assert "404, not a response of the v4 API: it is a web page, 'Not here'" in said
    write = ["--write", f"csv={tmp_path / 'out.csv'}", "--state", str(tmp_path / "state")]
    said = refusal("edge", "--follow", wrong, *write, "--once", env={**TOKENS, **TRUST})
    assert "check that --follow is the URL of an Originmap server, with its path" in said


def test_servers_can_be_reached_over_ipv6(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path, args=["--host", "::1", "--no-log-requests"]) as server:
        assert server.url.startswith("http://[::1]:")
        assert "example.com" in output("dump", "--zone", ZONE, "--api", server.api)
        assert "no rollout" in output("rollout", "status", "--server", server.url)
        unbracketed = server.url.replace("[::1]", "::1")
        said = refusal("rollout", "status", "--server", unbracketed, status=2)
        assert "an IPv6 address must be in brackets, as in http://[::1]:8787" in said


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in TOKENS.items():
        monkeypatch.setenv(name, value)


def test_requests_use_the_proxy_of_the_environment(behind: Server, tmp_path: Path) -> None:
    dump = ["dump", "--api", behind.api]
    follow = ["edge", "--follow", behind.url, "--write", f"csv={tmp_path / 'x'}", "--once"]
    with Proxy(behind.url) as proxy:
        at = proxy.api.removesuffix("/client/v4")
        assert run(*dump, env={"HTTP_PROXY": at, "ALL_PROXY": "socks5://[::1"}).returncode == 0
        seen = len(proxy.seen)
        assert seen > 0
        state = {"XDG_STATE_HOME": str(tmp_path)}
        assert run(*follow, env={"all_proxy": at.removeprefix("http://"), **state}).returncode == 0
        assert len(proxy.seen) > seen
        seen = len(proxy.seen)
        for exception in ("127.0.0.1", "localhost,::1/128, 127.0.0.0/8", "*"):
            env = {"HTTP_PROXY": at, "NO_PROXY": exception}
            assert run(*dump, env=env).returncode == 0
        assert run(*dump, env={"HTTPS_PROXY": at}).returncode == 0
        assert len(proxy.seen) == seen


def test_an_unreachable_proxy_is_named(behind: Server, tmp_path: Path) -> None:
    write = ["--write", f"csv={tmp_path / 'x'}", "--state", str(tmp_path)]
    env = {"HTTP_PROXY": "http://user:secret@127.0.0.1:1"}
    said = refusal("edge", "--follow", behind.url, *write, "--once", env=env)
    assert "through the proxy http://127.0.0.1:1 of HTTP_PROXY" in said
    assert "NO_PROXY=127.0.0.1 to connect directly" in said
    assert "secret" not in said


UNREAD = ["NO_PROXY=localhost,::1/128", "NO_PROXY=[::1]", "SSL_CERT_FILE=/nonexistent.pem"]


@pytest.mark.parametrize("setting", UNREAD)
def test_a_variable_for_other_requests_has_no_effect(behind: Server, setting: str) -> None:
    name, _, value = setting.partition("=")
    assert "192.0.2.1" in run("dump", "--api", behind.api, env={name: value}).stdout


def test_the_error_of_many_wrong_variables_is_one_line() -> None:
    follow = ["serve", "--follow", "https://127.0.0.1:1", "--db", ":memory:", "--port", "0"]
    said = refusal_at_start(follow, {"SSL_CERT_FILE": "/nonexistent.pem"})
    assert "SSL_CERT_FILE: /nonexistent.pem: No such file" in said
    assert "HTTPS_PROXY: 'ftp://x': scheme ftp is not supported" in refusal_at_start(
        follow, {"HTTPS_PROXY": "ftp://x"}
    )


def refusal_at_start(args: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        [COMMAND, *args], capture_output=True, text=True, timeout=30, env={**os.environ, **env}
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
