"""originmap health with a ready server, a server that is not ready, and no server."""

from pathlib import Path

import httpx

from tests.process import Server
from tests.real.command import run


def test_a_server_is_healthy_until_it_cannot_commit(tmp_path: Path) -> None:
    db = tmp_path / "dev.db"
    with Server(str(db), tmp_path) as server:
        port = str(httpx.URL(server.url).port)
        for host in ("127.0.0.1", "localhost", "0.0.0.0"):
            done = run("health", "--host", host, "--port", port)
            assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
        assert run("health", env={"ORIGINMAP_PORT": port}).returncode == 0
        db.rename(tmp_path / "moved.db")
        done = run("health", "--port", port)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the server is not ready: the store cannot be written" in done.stderr
    done = run("health", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no server answers on 127.0.0.1 port {port}" in done.stderr


def test_an_invalid_host_is_rejected_in_one_line() -> None:
    done = run("health", "--host", "a" * 70, "--port", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
