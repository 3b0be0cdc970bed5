"""The command line: zones and tokens with and without a running server, and rejected input."""

import asyncio
import hashlib
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import ZONE, Server
from tests.real.command import output, refusal, rows, run
from tests.real.server.wire import Answer, Connection

ID = re.compile(r"[0-9a-f]{32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{40}")
UNKNOWN = "f" * 32


@pytest.fixture
def db(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "cli.db"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The new database of a server that has stopped."""
    folder = tmp_path_factory.mktemp("stopped")
    with Server(str(folder / "cli.db"), folder, "serve"):
        return folder / "cli.db"


@pytest.fixture(params=["with a server", "without a server", "on PostgreSQL"])
def either(
    request: pytest.FixtureRequest, stopped: Path, db: Path, tmp_path: Path
) -> Iterator[Path | str]:
    """A new database: a file with a running server, a file without one, or a database on a
    PostgreSQL server.
    """
    if request.param == "on PostgreSQL":
        url = request.getfixturevalue("cluster").new_database()
        output("migrate", "--db", url)
        yield url
        return
    if request.param == "without a server":
        yield shutil.copy(stopped, db)
        return
    with Server(str(db), tmp_path, "serve"):
        yield db


@pytest.fixture
def server(db: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(str(db), tmp_path, "serve") as server:
        yield server


def create_zone(db: Path, name: str = "example.com") -> str:
    return output("zone", "create", name, "--db", db).strip()


def create_token(db: Path, zone: str = "all", access: str = "write") -> str:
    args = ("token", "create", "deploy", "--zone", zone, "--access", access, "--db", db)
    return output(*args).strip()


def path(zone: str, ip: str = "192.0.2.1") -> str:
    return f"/client/v4/zones/{zone}/origin/cloud_regions/{ip}"


def ask(server: Server, token: str, method: str, target: str) -> Answer:
    body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}

    async def once() -> Answer:
        async with Connection(server.url) as connection:
            headers = {"Authorization": f"Bearer {token}"}
            return await connection.ask(method, target, body if method == "PUT" else None, headers)

    return asyncio.run(once())


def test_a_zone_can_be_created_and_listed(either: Path) -> None:
    made = create_zone(either)
    other = create_zone(either, "Sub.Example.ORG.")
    assert ID.fullmatch(made)
    listed = output("zone", "list", "--db", either).splitlines()
    assert [line.split() for line in listed] == [
        ["id", "name"],
        [made, "example.com"],
        [other, "sub.example.org"],
    ]
    zones = rows("zone", "list", "--db", either)
    assert [(zone["id"], zone["name"]) for zone in zones] == [
        (made, "example.com"),
        (other, "sub.example.org"),
    ]


def test_a_zone_can_be_created_with_json(either: Path) -> None:
    (zone,) = rows("zone", "create", "example.com", "--db", either)
    assert rows("zone", "list", "--db", either) == [zone]


def test_a_list_without_zones_is_empty(either: Path) -> None:
    assert rows("zone", "list", "--db", either) == []
    assert output("zone", "list", "--db", either).split() == ["id", "name"]


def test_a_zone_name_is_used_once(either: Path) -> None:
    create_zone(either)
    message = refusal("zone", "create", "EXAMPLE.com", "--db", either)
    assert "the zone example.com exists already" in message


@pytest.mark.parametrize(
    "name",
    ["", "com", "a..com", "two words.com", "*.example.com", "a_b.com", "bü_cher.example",
     "x" * 64 + ".com", "example.com/path", "https://example.com"],
)  # fmt: skip
def test_an_invalid_domain_name_is_refused(db: Path, name: str) -> None:
    message = refusal("zone", "create", name, "--db", db)
    assert f"not a domain name: {name!r}" in message
    assert "a name like example.com" in message


def test_a_zone_with_a_name_in_unicode_is_found_by_either_form(either: Path) -> None:
    made = create_zone(either, "BÜCHER.example")
    listed = output("zone", "list", "--db", either).splitlines()
    assert listed[1].split() == [made, "bücher.example"]
    for name in ("xn--bcher-kva.example", "bu\u0308cher.example"):
        message = refusal("zone", "create", name, "--db", either)
        assert "the zone xn--bcher-kva.example exists already" in message
        output("token", "create", "t", "--zone", name, "--access", "read", "--db", either)
        output("history", name, "--db", either)


def test_a_name_is_listed_on_a_terminal_without_its_letters(db: Path) -> None:
    create_zone(db, "例え.example")
    done = run("zone", "list", "--db", db, env={"PYTHONIOENCODING": "latin-1"})
    assert "\\u4f8b\\u3048.example" in done.stdout, done.stderr


def test_a_label_that_idna_rejects_is_reported_with_the_reason(db: Path) -> None:
    message = refusal("zone", "create", "i\u2764.ws", "--db", db)
    assert "not a domain name: 'i\u2764.ws': Codepoint U+2764" in message


def test_a_running_server_knows_a_new_zone_immediately(server: Server, db: Path) -> None:
    token = create_token(db)
    zone = create_zone(db)
    assert ask(server, token, "PUT", path(zone)).status == 200


def test_a_token_can_be_created_listed_and_revoked(either: Path) -> None:
    zone = create_zone(either)
    create_token(either)
    create_token(either, "example.com", "read")
    tokens = rows("token", "list", "--db", either)
    assert [(t["name"], t["access"], t["zones"]) for t in tokens] == [
        ("deploy", "write", ["all"]),
        ("deploy", "read", [zone]),
    ]
    listed = output("token", "list", "--db", either)
    assert all(token["id"] in listed for token in tokens)
    output("token", "revoke", tokens[0]["id"], "--db", either)
    assert rows("token", "list", "--db", either) == tokens[1:]


def test_the_secret_is_printed_alone_and_once(either: Path) -> None:
    done = run("token", "create", "a", "--zone", "all", "--access", "read", "--db", either)
    secret = done.stdout.removesuffix("\n")
    assert SECRET.fullmatch(secret)
    assert secret not in done.stderr
    assert "cannot be shown again" in done.stderr
    assert secret not in output("token", "list", "--db", either)
    assert secret not in str(rows("token", "list", "--db", either))


def test_the_secret_is_in_no_file(server: Server, db: Path, tmp_path: Path) -> None:
    zone = create_zone(db)
    args = ("token", "create", "deploy", "--zone", "all", "--access", "write", "--db", db)
    (made,) = rows(*args)
    secrets = [made["secret"], create_token(db, access="read")]
    assert ask(server, secrets[0], "PUT", path(zone)).status == 200
    assert ask(server, secrets[1], "PUT", path(zone)).status == 403
    with_server = everything_written(tmp_path)
    assert server.stop() == 0
    for contents in (with_server, everything_written(tmp_path)):
        for secret in secrets:
            assert secret.encode() not in contents
            assert hashlib.sha256(secret.encode()).hexdigest().encode() in contents


def everything_written(folder: Path) -> bytes:
    """The content of every file in a folder: database, write-ahead log, logs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"\n".join(file.read_bytes() for file in files)


def test_a_revoked_token_is_invalid_immediately(server: Server, db: Path) -> None:
    zone = create_zone(db)
    secret = create_token(db)
    (token,) = rows("token", "list", "--db", db)

    async def ask_until_refused() -> tuple[int, float]:
        """The number of successful requests, and the time when the last of them was sent."""
        loop, worked, last = asyncio.get_running_loop(), 0, 0.0
        async with Connection(server.url) as connection:
            while True:
                sent = loop.time()
                headers = {"Authorization": f"Bearer {secret}"}
                answer = await connection.ask("GET", f"{path(zone)[:-10]}", headers=headers)
                if answer.status != 200:
                    assert answer.refusal == (401, 10000)
                    return worked, last
                worked, last = worked + 1, sent

    async def revoke() -> float:
        asking = asyncio.create_task(ask_until_refused())
        await asyncio.sleep(0.1)
        await asyncio.to_thread(output, "token", "revoke", token["id"], "--db", db)
        revoked = asyncio.get_running_loop().time()
        worked, last = await asking
        assert worked > 0
        return revoked - last

    assert asyncio.run(revoke()) > 0
    assert ask(server, secret, "PUT", path(zone)).refusal == (401, 10000)


def test_a_token_revoked_while_no_server_runs_is_invalid(db: Path, tmp_path: Path) -> None:
    zone, secret = create_zone(db), create_token(db)
    (token,) = rows("token", "list", "--db", db)
    output("token", "revoke", token["id"], "--db", db)
    with Server(str(db), tmp_path, "serve") as server:
        assert ask(server, secret, "GET", path(zone)).refusal == (401, 10000)


def test_a_token_for_one_zone_does_not_reveal_others(server: Server, db: Path) -> None:
    own, other = create_zone(db), create_zone(db, "example.org")
    secret = create_token(db, own)
    assert ask(server, secret, "PUT", path(own)).status == 200
    for method in ("GET", "PUT", "DELETE"):
        there = ask(server, secret, method, path(other))
        nowhere = ask(server, secret, method, path(UNKNOWN))
        assert there.refusal == nowhere.refusal == (403, 10000)
        assert there.body == nowhere.body


def test_a_token_for_all_zones_gets_not_found_for_a_missing_zone(server: Server, db: Path) -> None:
    create_zone(db)
    secret = create_token(db)
    answer = ask(server, secret, "GET", path(UNKNOWN))
    assert answer.refusal == (400, 7003)
    assert [error["code"] for error in answer.json["errors"]] == [7003, 7000]


def test_a_token_with_read_access_cannot_write(server: Server, db: Path) -> None:
    zone = create_zone(db)
    writer, reader = create_token(db), create_token(db, zone, "read")
    assert ask(server, reader, "PUT", path(zone)).refusal == (403, 10000)
    assert ask(server, reader, "GET", path(zone)).status == 404
    assert ask(server, writer, "PUT", path(zone)).status == 200
    assert ask(server, reader, "GET", path(zone)).status == 200
    assert ask(server, reader, "DELETE", path(zone)).refusal == (403, 10000)
    assert ask(server, reader, "DELETE", path(zone, "batch")).refusal == (403, 10000)


def test_a_token_created_before_the_server_starts_works(db: Path, tmp_path: Path) -> None:
    zone, secret = create_zone(db), create_token(db)
    with Server(str(db), tmp_path, "serve") as server:
        assert ask(server, secret, "PUT", path(zone)).status == 200


def test_invalid_tokens_are_refused(either: Path) -> None:
    def create(name: str, zone: str, access: str, status: int = 1) -> str:
        args = ("token", "create", name, "--zone", zone, "--access", access, "--db", either)
        return refusal(*args, status=status)

    assert "between 1 and 120" in create("", "all", "read")
    assert "between 1 and 120" in create("x" * 121, "all", "read")
    assert f"there is no zone {UNKNOWN}" in create("a", UNKNOWN, "read")
    assert "zone list" in create("a", "no.such.zone", "read")
    assert "admin" in create("a", "all", "admin", status=2)
    assert f"there is no token {UNKNOWN}" in refusal("token", "revoke", UNKNOWN, "--db", either)
    assert rows("token", "list", "--db", either) == []


def test_the_files_are_private_to_their_owner(server: Server, db: Path) -> None:
    create_zone(db)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in db.parent.iterdir()}
    names = [db.name + suffix for suffix in ("", "-shm", "-wal", ".sock")]
    assert modes == dict.fromkeys(names, 0o600)
    assert stat.S_ISSOCK((db.parent / f"{db.name}.sock").stat().st_mode)


def test_a_database_with_a_long_path_can_be_administered(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 10)
    folder.mkdir(parents=True)
    db = folder / "deep.db"
    with Server(str(db), tmp_path, "serve"):
        zone = create_zone(db)
        assert (folder / "deep.db.sock").is_socket()
    assert [row["id"] for row in rows("zone", "list", "--db", db)] == [zone]


def test_a_relative_path_selects_the_same_file(
    server: Server, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = create_zone(db)
    monkeypatch.chdir(db.parent)
    assert zone in output("zone", "list", "--db", db.name)


def test_only_dev_has_the_well_known_zone(server: Server, db: Path) -> None:
    secret = create_token(db)
    assert ask(server, secret, "GET", path(ZONE)).refusal == (400, 7003)


def test_a_database_can_have_a_long_name(tmp_path: Path) -> None:
    db = tmp_path / ("n" * 150 + ".db")
    with Server(str(db), tmp_path):
        assert "example.com" in output("zone", "list", "--db", db)


def test_commands_work_on_the_database_of_dev_while_it_does_not_run(tmp_path: Path) -> None:
    db = tmp_path / "dev.db"
    with Server(str(db), tmp_path):
        assert "example.com" in output("zone", "list", "--db", db)
    assert "example.com" in output("zone", "list", "--db", db)


def test_commands_refuse_an_in_memory_database() -> None:
    assert run("zone", "create", "example.org", "--db", ":memory:").returncode != 0


def test_listing_does_not_create_a_missing_file(tmp_path: Path) -> None:
    assert run("zone", "list", "--db", tmp_path / "typo.db").returncode != 0
    assert list(tmp_path.iterdir()) == []
