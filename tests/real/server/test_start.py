"""Starts that must fail: each is refused with a reason and a hint, and changes nothing."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from originmap.store.sqlite.file import APPLICATION_ID
from tests.process import Server
from tests.real.command import output, refusal, run, run_without_rights


@pytest.fixture
def db(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "start.db"


@pytest.fixture
def running(db: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(str(db), tmp_path) as server:
        yield server


def refused(db: str | Path, command: str = "dev") -> str:
    return refusal(command, "--port", "0", "--db", db)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its content."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("command", ["dev", "serve"])
def test_a_second_process_on_a_file_is_refused(running: Server, db: Path, command: str) -> None:
    first, second, _ = refused(db, command).splitlines()
    assert first == f"originmap: another process owns {db}"
    assert "another --db" in second
    assert running.stop() == 0
    assert running.log.read_text().count("Traceback") == 0


def test_a_second_process_does_not_replace_the_operator_socket(running: Server, db: Path) -> None:
    refused(db)
    assert "example.com" in output("zone", "list", "--db", db)


@pytest.mark.parametrize("command", ["dev", "serve"])
def test_a_port_in_use_is_named(db: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refusal(command, "--port", str(port), "--db", db)
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in message
    assert "--port 0 takes a free port" in message


def test_an_address_of_another_machine_is_named(db: Path) -> None:
    message = refusal("serve", "--host", "192.0.2.1", "--port", "0", "--db", db)
    assert "cannot listen on 192.0.2.1 port 0" in message


def test_an_unresolvable_host_is_named(db: Path) -> None:
    message = refusal("serve", "--host", "no.such.host.invalid", "--port", "0", "--db", db)
    assert "cannot listen on no.such.host.invalid" in message


@pytest.mark.parametrize("command", ["dev", "serve"])
@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_an_invalid_host_name_is_reported(db: Path, command: str, host: str) -> None:
    message = refusal(command, "--host", host, "--port", "0", "--db", db)
    assert f"cannot listen on {host} port 0" in message
    assert "another --host" in message


def test_the_file_is_released_after_a_refused_start(db: Path, tmp_path: Path) -> None:
    test_a_port_in_use_is_named(db, "dev")
    with Server(str(db), tmp_path) as server:
        assert server.stop() == 0


def test_serve_refuses_the_database_of_dev(running: Server, db: Path) -> None:
    running.stop()
    before = contents(db.parent)
    message = refused(db, "serve")
    assert f"cannot use {db}" in message
    assert "well-known credentials" in message
    assert "originmap dev" in message
    assert contents(db.parent) == before


def test_dev_refuses_a_production_database(db: Path) -> None:
    output("zone", "create", "example.org", "--db", db)
    before = contents(db.parent)
    message = refused(db, "dev")
    assert f"cannot use {db}" in message
    assert "in production" in message
    assert contents(db.parent) == before


def text_file(path: Path) -> None:
    path.write_text("To do: buy bread.\n" * 100)


def short_file(path: Path) -> None:
    path.write_text("bread")


def almost_sqlite(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)


def database(path: Path, application: int, version: int) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE bread (slices)")
    connection.pragma("application_id", application)
    connection.pragma("user_version", version)
    connection.close()


def another_program(path: Path) -> None:
    database(path, 0x47504B47, 1)


def nameless_program(path: Path) -> None:
    database(path, 0, 0)


def newer_version(path: Path) -> None:
    database(path, APPLICATION_ID, 999)


@pytest.mark.parametrize("command", ["dev", "serve"])
@pytest.mark.parametrize(
    ("make", "reason", "hint"),
    [
        (text_file, "file is not a database", "backup"),
        (short_file, "file is not a database", "backup"),
        (almost_sqlite, "", ""),
        (another_program, "database of another program", "another --db"),
        (nameless_program, "database of another program", "another --db"),
        (newer_version, "has version 999", "newer"),
    ],
)
def test_a_foreign_file_is_refused_and_unchanged(
    db: Path, command: str, make: Callable[[Path], None], reason: str, hint: str
) -> None:
    make(db)
    before = contents(db.parent)
    message = refused(db, command)
    assert f"cannot use {db}" in message
    assert reason in message
    assert hint in message
    assert contents(db.parent) == before


def test_commands_refuse_a_foreign_file_too(db: Path) -> None:
    another_program(db)
    before = contents(db.parent)
    assert f"cannot use {db}" in refusal("zone", "list", "--db", db)
    assert contents(db.parent) == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    db = tmp_path / "no" / "where" / "start.db"
    message = refused(db)
    assert f"cannot use {db}: its folder does not exist" in message
    assert f"mkdir -p {db.parent}" in message
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_named() -> None:
    # Not even root can create a file in it.
    message = refused("/sys/start.db")
    assert "cannot use /sys/start.db" in message


@pytest.mark.parametrize(
    "command", [("serve", "--port", "0"), ("zone", "list"), ("zone", "create", "example.com")]
)
def test_an_inaccessible_folder_is_named(db: Path, command: tuple[str, ...]) -> None:
    closed = db.parent / "closed"
    closed.mkdir(0)
    done = run_without_rights(*command, "--db", closed / "start.db")
    assert (done.returncode, done.stdout) == (1, ""), done
    assert f"originmap: cannot use {closed}/start.db: Permission denied" in done.stderr
    assert "that this user can" in done.stderr.splitlines()[1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("zone", "list")])
def test_a_name_that_is_too_long_is_named(db: Path, command: tuple[str, ...]) -> None:
    assert "File name too long" in refusal(*command, "--db", db.parent / ("a" * 300))


def test_a_failure_to_create_the_state_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "bread").write_text("bread")
    done = run("dev", "--port", "0", env={"XDG_STATE_HOME": f"{tmp_path}/bread"})
    assert (done.returncode, done.stdout) == (1, ""), done
    first, second, _ = done.stderr.splitlines()
    assert f"cannot use {tmp_path}/bread/originmap/dev.db: Not a directory" in first
    assert "--db" in second


@pytest.mark.parametrize("command", [("dev", "--port", "0"), ("zone", "list")])
def test_a_damaged_page_is_reported_and_the_file_not_changed(
    db: Path, command: tuple[str, ...]
) -> None:
    output("zone", "create", "example.com", "--db", db)
    connection = apsw.Connection(str(db))
    find = "SELECT rootpage FROM sqlite_schema WHERE name = 'record'"
    page, size = connection.execute(find).get, connection.pragma("page_size")
    connection.close()
    with db.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    before = contents(db.parent)
    message = refusal(*command, "--db", db)
    assert f"cannot use {db}" in message
    assert "malformed" in message
    assert "backup" in message
    assert contents(db.parent) == before


def test_a_damaged_record_is_reported(db: Path) -> None:
    output("zone", "create", "example.com", "--db", db)
    connection = apsw.Connection(str(db))
    connection.execute("UPDATE record SET body = x'7b'")
    connection.close()
    message = refusal("zone", "list", "--db", db)
    assert f"cannot use {db}" in message
    assert "backup" in message


def test_a_folder_in_place_of_the_file_is_named(db: Path) -> None:
    db.mkdir()
    message = refused(db)
    assert "cannot use" in message
    assert str(db) in message


def test_a_file_in_place_of_the_folder_is_named(db: Path) -> None:
    db.write_text("bread")
    assert f"cannot use {db}/start.db" in refused(db / "start.db")


def test_another_path_of_a_file_in_use_is_refused(tmp_path: Path) -> None:
    """Two processes with one file would count revisions independently."""
    link = tmp_path / "link.db"
    with Server(str(tmp_path / "real.db"), tmp_path):
        link.symlink_to(tmp_path / "real.db")
        message = refusal("dev", "--port", "0", "--db", link)
    assert "another process owns" in message


def test_an_empty_db_is_refused_without_a_traceback() -> None:
    refusal("zone", "list", "--db", "", status=2)
