"""originmap export, with and without a running server."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from originmap import data
from tests.process import ZONE
from tests.real.cluster.fleet import Primary, same
from tests.real.command import output, refusal, run

EXPORT = "/originmap/v1/export"
TEMPLATE = "{colo}.cache.example.net:80"
# A machine without a network looks names up for five seconds.
ADDRESSES = [
    word for colo in data.topology().colos for word in ("--upstream", f"{colo.code}=192.0.2.1:80")
]


def test_a_file_is_written_to_stdout_or_to_a_path(db: Path, tmp_path: Path) -> None:
    printed = output("export", "csv", "--db", db)
    assert printed.splitlines()[1] == "example.com,192.0.2.1,aws,us-east-1,hint,IAD,EWR"
    file = tmp_path / "new" / "origins.csv"
    assert output("export", "csv", "--out", file, "--db", db) == ""
    assert file.read_text() == printed
    assert [path.name for path in file.parent.iterdir()] == ["origins.csv"]


def test_several_files_are_written_to_a_folder(db: Path, tmp_path: Path) -> None:
    asked = ("export", "haproxy", "--colo", "sin", *ADDRESSES, "--db", db)
    output(*asked, "--out", tmp_path / "haproxy")
    files = {path.name: path.read_text() for path in (tmp_path / "haproxy").iterdir()}
    assert "example.com/192.0.2.1 originmap_iad_ewr" in files["originmap.map"]
    assert "server iad 192.0.2.1:80 check" in files["originmap.cfg"]
    assert output(*asked, "--file", "originmap.map") == files["originmap.map"]
    assert "--file" in refusal(*asked, status=2)


def test_addresses_of_upper_tiers_can_be_read_from_a_file(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "upstreams"
    file.write_text(f"# ours\n{TEMPLATE}\n\nIAD=192.0.2.10:81  # old\n")
    made = output("export", "nginx", "--upstreams", file, "--db", db)
    assert "server 192.0.2.10:81;" in made
    assert "server ewr.cache.example.net:80 backup;" in made


def test_an_export_can_be_limited_to_zones(db: Path) -> None:
    for zone in ("example.com", ZONE):
        (line,) = output("export", "json", "--zone", zone, "--db", db).splitlines()
        assert json.loads(line)["origin_ip"] == "192.0.2.1"
    assert "no zone nothing.example" in refusal(
        "export", "json", "--zone", "nothing.example", "--db", db
    )


async def test_a_replica_exports_the_same_file_with_the_same_tag(primary: Primary) -> None:
    with primary.replica("first") as replica:
        async with primary.client() as writer, primary.client(replica.url) as reader:
            await primary.put(writer, "192.0.2.1")
            await primary.put(writer, "2001:db8::1", "eu-west-1")
            await same(writer, reader)
            asked = f"{EXPORT}/nginx?colo=SIN&upstream={TEMPLATE}"
            theirs, ours = await reader.get(asked), await writer.get(asked)
            assert (theirs.status_code, theirs.headers["etag"]) == (200, ours.headers["etag"])
            assert theirs.content == ours.content
            await primary.put(writer, "192.0.2.1", "us-west-2")
            await same(writer, reader)
            newer = await reader.get(asked, headers={"If-None-Match": ours.headers["etag"]})
            assert (newer.status_code, newer.content != ours.content) == (200, True)
            by_command = output("export", "csv", "--db", primary.folder / "first.db")
            assert by_command == output("export", "csv", "--db", primary.db)


def test_an_impossible_export_is_refused_with_a_hint(db: Path, tmp_path: Path) -> None:
    assert "or give --upstream" in refusal("export", "nginx", "--db", db)
    assert "there is no colo ZZZ" in refusal("export", "csv", "--colo", "ZZZ", "--db", db)
    file = tmp_path / "file"
    file.write_text("kept")
    assert "cannot write" in refusal("export", "csv", "--out", file / "x", "--db", db)
    assert run("export", "nginx", "--out", file, "--db", db).returncode == 1
    assert file.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.glob("tmp*")) == []


def test_a_path_that_is_not_a_regular_file_is_unchanged(db: Path, tmp_path: Path) -> None:
    pipe, file, link = tmp_path / "pipe", tmp_path / "file", tmp_path / "link"
    os.mkfifo(pipe)
    assert "not a regular file" in refusal("export", "csv", "--out", pipe, "--db", db)
    assert pipe.is_fifo()
    link.symlink_to(file)
    output("export", "csv", "--out", link, "--db", db)
    assert link.is_symlink()
    assert file.read_text().startswith("zone,")


def test_obsolete_files_are_kept_and_listed(db: Path, tmp_path: Path) -> None:
    def export(*upstreams: str) -> str:
        given = [word for text in upstreams for word in ("--upstream", text)]
        done = run("export", "envoy", *given, "--out", tmp_path, "--db", db)
        assert done.returncode == 0, done.stderr
        return done.stderr

    own = tmp_path / "eds" / "of-somebody-else.json"
    assert export(TEMPLATE, "IAD=192.0.2.10:80", "EWR=192.0.2.11:80") == ""
    own.touch()
    made = tmp_path / "eds" / "originmap_iad_ewr.json"
    before = made.read_bytes()
    (cluster,) = json.loads(before)["resources"]
    assert cluster["cluster_name"] == "originmap_iad_ewr"
    assert made.stat().st_mode & 0o777 == 0o644
    files = [path for path in tmp_path.rglob("*.json") if path != own]
    told = {path: path.stat().st_ctime_ns for path in files}
    assert export(TEMPLATE, "IAD=192.0.2.10:80", "EWR=192.0.2.11:80") == ""
    assert {path: path.stat().st_ctime_ns for path in files} == told  # no file for Envoy to load
    said = export(TEMPLATE, "IAD=192.0.2.10:80")
    assert f"{made} stays as it was" in said
    assert str(own) not in said
    assert made.read_bytes() == before


def test_a_name_with_several_addresses_is_resolved_on_the_exporting_machine(
    db: Path, tmp_path: Path
) -> None:
    library = next(iter(Path("/usr/lib").rglob("libnss_wrapper.so")), None)
    if library is None:
        reason = "libnss-wrapper is not installed; `make caches` as root installs it on Debian"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    hosts = tmp_path / "hosts"
    lines = [f"127.0.9.9 {colo.code.lower()}.test" for colo in data.topology().colos]
    hosts.write_text("\n".join([*lines, "127.0.1.1 iad.test", "127.0.9.8 iad.test", ""]))
    names = {**os.environ, "LD_PRELOAD": str(library), "NSS_WRAPPER_HOSTS": str(hosts)}
    asked = ("--colo", "SIN", "--upstream", "{colo}.test:80", "--db", db)
    for _ in range(3):
        done = run("export", "varnish", *asked, env=names)
        # The library sometimes aborts when several threads look names up at once.
        if done.returncode != -signal.SIGABRT:
            break
    assert done.returncode == 0, done.stderr
    found = re.findall(r"backend (originmap_b_iad\w*) {\n    .host = \"(.+)\";", done.stdout)
    assert found == [
        ("originmap_b_iad", "127.0.1.1"),
        ("originmap_b_iad_2", "127.0.9.8"),
        ("originmap_b_iad_3", "127.0.9.9"),
    ]
    assert '.host = "ewr.test";' in done.stdout
