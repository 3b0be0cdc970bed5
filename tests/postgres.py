"""A temporary PostgreSQL server, from the installed binaries."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HOW_TO_INSTALL = (
    "PostgreSQL's server programs were not found: on Debian and Ubuntu, apt-get install postgresql"
)
HOW_TO_INSTALL_POOLER = "PgBouncer was not found: on Debian and Ubuntu, apt-get install pgbouncer"
USER = "originmap"
_QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off")
"""Autovacuum would start a process for each of hundreds of databases in turn."""
_DEBIAN = "/usr/lib/postgresql/*/bin"


def binaries() -> Path | None:
    """The folder of initdb and postgres in the newest installed version."""
    folders = sorted(glob.glob(_DEBIAN), key=lambda f: int(f.split("/")[-2]), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(str(Path(on_path).resolve().parent))
    return next((Path(f) for f in folders if (Path(f) / "postgres").exists()), None)


class Cluster:
    """A server on a free port of loopback, with a temporary data folder.

    `settings` are the server's, as "name=value". Writes survive a crash of the server only with
    `durable`. The folder is created in `parent`, by default in the folder for temporary files.
    """

    def __init__(
        self,
        settings: Sequence[str] = (),
        *,
        durable: bool = False,
        copy_of: "Cluster | None" = None,
        parent: Path | None = None,
    ) -> None:
        found = binaries()
        assert found is not None, HOW_TO_INSTALL
        self.bin = found
        # Not below pytest's folder, to which the server's user has no access.
        self.folder = Path(tempfile.mkdtemp(prefix="originmap-pg-", dir=parent))
        self._account = _account()
        if self._account is not None:
            os.chown(self.folder, *_ids(self._account))
        self.port = _free_port()
        self._settings = [*settings, *([] if durable else _QUICK)]
        self._databases = 0
        if copy_of is None:
            self._run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8",
                      "--locale=C", "--no-sync")  # fmt: skip
        else:
            source = copy_of.url("postgres", application_name="standby")
            self._run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast",
                      "--no-sync", "-d", source)  # fmt: skip
        self.start()

    @property
    def data(self) -> str:
        """The server's data folder."""
        return str(self.folder / "data")

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def url(self, database: str, **arguments: str) -> str:
        """The database URL for Originmap."""
        query = "&".join(f"{name}={value}" for name, value in arguments.items())
        return f"postgresql://{USER}@{self.address}/{database}" + (query and f"?{query}")

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        self.sql(f"CREATE DATABASE {name}", "postgres")
        return self.url(name)

    def sql(self, statement: str, database: str) -> str:
        """The output of psql for a statement."""
        command = [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                   "-d", self.url(database), "-c", statement]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def start(self) -> None:
        """Start the server, and wait until it responds."""
        options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}",
                   "max_connections=200", "logging_collector=off", *self._settings]  # fmt: skip
        arguments = [part for option in options for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-p", str(self.port), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, user=self._account, **self._group(),
            )  # fmt: skip
        self._wait()

    def stop(self) -> None:
        """Stop it like an administrator: sessions are ended, no data is lost."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill all of its processes with SIGKILL."""
        self._signal(signal.SIGKILL)
        self.process.wait(30)

    def hang(self) -> None:
        """Freeze it: it stops responding, but connections stay open."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        """Send a signal to all processes of the server."""
        parent = self.process.pid
        own = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in (parent, *map(int, own)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def promote(self) -> None:
        """Promote a standby to primary."""
        self._run("pg_ctl", "promote", "-D", self.data, "-w")

    def remove(self) -> None:
        """Stop the server and delete its folder, without waiting for that: databases have many
        files."""
        if self.process.poll() is None:
            self.kill()
        os.spawnlp(os.P_NOWAIT, "rm", "rm", "-rf", str(self.folder))

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(30)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.bin / program, *arguments],
            check=True, capture_output=True, cwd=self.folder, user=self._account, **self._group(),
        )  # fmt: skip

    def _group(self) -> dict[str, int]:
        return {} if self._account is None else {"group": _ids(self._account)[1]}

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text())
            ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready).returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError("the PostgreSQL server does not respond")


class Pooler:
    """PgBouncer in front of a cluster, with default settings in one of its modes; a context
    manager.
    """

    def __init__(self, cluster: Cluster, mode: str, *settings: str) -> None:
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program is not None, HOW_TO_INSTALL_POOLER
        self.cluster, self.port = cluster, _free_port()
        folder = Path(tempfile.mkdtemp(prefix="originmap-pgbouncer-"))
        self._folder, account = folder, _account()
        (folder / "users").write_text(f'"{USER}" ""\n')
        lines = ["[databases]", f"* = host=127.0.0.1 port={cluster.port}", "[pgbouncer]",
                 "listen_addr = 127.0.0.1", f"listen_port = {self.port}", "unix_socket_dir =",
                 "auth_type = trust", f"auth_file = {folder}/users", f"pool_mode = {mode}",
                 *settings]  # fmt: skip
        (folder / "ini").write_text("\n".join(lines))
        if account is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, *_ids(account))
        self._process = subprocess.Popen(
            [program, folder / "ini"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=folder, user=account,
            **({} if account is None else {"group": _ids(account)[1]}),
        )  # fmt: skip

    def url(self, url: str) -> str:
        """The URL of a database of the cluster through PgBouncer."""
        return url.replace(f":{self.cluster.port}/", f":{self.port}/")

    def __enter__(self) -> "Pooler":
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            time.sleep(0.02)
        raise AssertionError("PgBouncer does not respond")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)


def has_pooler() -> bool:
    """Whether PgBouncer is installed."""
    return shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


def _account() -> str | None:
    """The user that runs the server, which refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _ids(name: str) -> tuple[int, int]:
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
