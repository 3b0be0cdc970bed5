"""The commands originmap detect and originmap ranges, as separate processes."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests import forked
from tests.detect.samples import AWS, AZURE, GCP, HETZNER, LINODE, OCI, document
from tests.detect.vendor_server import Page, vendor_server
from tests.process import COMMAND

BEHIND = "the origin behind it cannot be located"
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A user's state folder."""
    return tmp_path / "state"


@pytest.fixture
def kept(state: Path) -> Path:
    """A user's state folder with all four vendors' files in it."""
    assert run(state, "ranges", "import", *map(str, (AWS, AZURE, GCP, OCI))).returncode == 0
    return state


def run(state: Path, *args: str, stdin: str = "", **environment: str) -> Done:
    env = clean_environment(state) | environment
    return forked.run([COMMAND, *args], env, timeout=50, stdin=stdin)


def clean_environment(state: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    kept.pop("ORIGINMAP_RANGES", None)
    return kept | {"XDG_STATE_HOME": str(state)}


def test_an_address_is_found_with_its_evidence(kept: Path) -> None:
    done = run(kept, "detect", "192.0.2.130", "198.18.0.1", "198.51.100.1", "192.0.2.255")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(maxsplit=6) for line in done.stdout.splitlines()]
    services = "AMAZON; announced in us-west-2-lax-1"
    assert rows == [
        ["address", "verdict", "vendor", "region", "prefix", "published", "services"],
        [
            *("192.0.2.130", "confirmed", "aws", "us-west-2", "192.0.2.128/26", "2026-08-22"),
            services,
        ],
        ["198.18.0.1", "vendor-only", "aws", "-", "198.18.0.0/16", "2026-08-22", "AMAZON"],
        [
            "198.51.100.1",
            "edge-service",
            "aws",
            "-",
            "198.51.100.0/28",
            "2026-08-22",
            f"CLOUDFRONT; {BEHIND}",
        ],
        ["192.0.2.255", "unlisted", "-", "-", "-", "-"],
    ]


def test_a_region_outside_the_catalogue_is_marked(kept: Path) -> None:
    done = run(kept, "detect", "198.51.100.17")
    assert done.stdout.splitlines()[1].endswith("EC2; region not in the catalogue")


def test_json_has_a_row_for_each(kept: Path) -> None:
    done = run(kept, "detect", "--json", "192.0.2.1", "2001:db8:2:5::9", "192.0.2.255")
    known, azure, unlisted = json.loads(done.stdout)
    assert known == {
        "name": None,
        "address": "192.0.2.1",
        "verdict": "confirmed",
        "vendor": "aws",
        "region": "us-west-2",
        "in_catalogue": True,
        "prefix": "192.0.2.0/25",
        "services": ["AMAZON", "EC2"],
        "border_group": "us-west-2",
        "published": "2026-08-22T15:17:05Z",
    }
    assert (azure["region"], azure["published"]) == ("francecentral", "2026-11-02T00:00:00Z")
    assert unlisted["services"] == []
    assert {unlisted[name] for name in ("vendor", "prefix", "published")} == {None}


def test_csv_has_a_row_for_each(kept: Path) -> None:
    done = run(kept, "detect", "--csv", "-", stdin="192.0.2.1\n192.0.2.255\n")
    found, unlisted = csv.DictReader(io.StringIO(done.stdout))
    assert (found["address"], found["services"]) == ("192.0.2.1", "AMAZON EC2")
    assert (found["in_catalogue"], unlisted["in_catalogue"]) == ("true", "")
    assert unlisted["verdict"] == "unlisted"


def test_bad_lines_are_reported_and_do_not_stop_the_run(kept: Path) -> None:
    lines = "192.0.2.1\nnonsense!\n\n192.0.2.0/24\n203.0.113.1\n"
    done = run(kept, "detect", "--json", "-", stdin=lines)
    assert done.returncode == 1
    assert [row["address"] for row in json.loads(done.stdout)] == ["192.0.2.1", "203.0.113.1"]
    assert done.stderr.splitlines() == [
        "line 2: not an origin IP address, and no host name: 'nonsense!'",
        "line 4: not an origin IP address, and no host name: '192.0.2.0/24'",
    ]


def test_a_hostname_is_resolved_locally(kept: Path) -> None:
    done = run(kept, "detect", "localhost")
    assert done.returncode == 0
    assert "of localhost" in done.stdout


def test_no_input_gives_an_empty_array(kept: Path) -> None:
    assert run(kept, "detect", "--json", "-").stdout == "[]\n"


@pytest.mark.parametrize(
    "args", [("detect",), ("detect", "-", "192.0.2.1"), ("detect", "--json", "--csv", "::1")]
)
def test_an_invalid_command_line_exits_with_2(kept: Path, args: tuple[str, ...]) -> None:
    assert run(kept, *args).returncode == 2


def test_before_the_first_fetch_the_installed_ranges_are_used_and_their_age_is_told(
    state: Path,
) -> None:
    done = run(state, "detect", "52.94.76.1", "173.245.48.1", "5.101.96.1")
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert done.returncode == 0
    assert [row[1:4] for row in rows] == [
        ["confirmed", "aws", "us-west-2"],
        ["edge-service", "cloudflare", "-"],
        ["vendor-only", "digitalocean", "-"],
    ]
    assert re.fullmatch(
        r"IP ranges as installed, of \d{4}-\d\d-\d\d, [\d,]+ days? old; originmap ranges fetch"
        r" downloads the current ones\n",
        done.stderr,
    )


def test_fetched_ranges_take_precedence_over_installed_ones(kept: Path) -> None:
    done = run(kept, "detect", "173.245.48.1")
    assert (done.stdout.splitlines()[1].split()[1], done.stderr) == ("unlisted", "")


def test_missing_ranges_are_reported_with_a_hint(state: Path, tmp_path: Path) -> None:
    (tmp_path / "cloudip.py").write_text("")  # hides the installed package
    for args in (("detect", "192.0.2.1"), ("ranges", "status")):
        env = clean_environment(state) | {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run([COMMAND, *args], env=env, capture_output=True, text=True, timeout=50)
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            f"originmap: no published IP ranges in {state}/originmap/ranges",
            "  run originmap ranges fetch, or originmap ranges import FILE, or install"
            " originmap[ranges]",
            "  see docs/detection.md",
        ]


def test_a_million_lines_stream_through_in_bounded_memory(kept: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "originmap", "detect", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(kept),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = _a_million_lines()
        process.stdin.write(next(lines))
        process.stdin.flush()
        # The first result is printed before the last address is sent.
        assert process.stdout.readline().startswith(b"address")
        assert process.stdout.readline().startswith(b"10.0.0.0")
        threading.Thread(target=_feed, args=(process.stdin, lines)).start()
        count = 1
        for _ in process.stdout:
            count += 1
            if count == 990_000:  # the process still waits for input
                most = _most_memory(process.pid)
    assert (count, process.returncode) == (1_000_000, 0)
    assert most < 150_000


def _most_memory(pid: int) -> int:
    """The peak memory of a process so far, in KiB (proc_pid_status(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def _feed(stdin: IO[bytes], lines: Iterator[bytes]) -> None:
    for chunk in lines:
        stdin.write(chunk)
    stdin.close()


def _a_million_lines() -> Iterator[bytes]:
    thousand = b"".join(b"10.x.%d\n" % (n % 256) for n in range(1000))
    for high in range(1000):
        yield thousand.replace(b"x", b"%d.%d" % (high % 200, high // 200))


def test_import_reports_stored_lists_and_status_lists_all(kept: Path) -> None:
    newer = document(AWS)
    newer["createDate"] = "2026-08-23-00-00-00"
    file = kept / "whatever.txt"
    file.write_text(json.dumps(newer))
    done = run(kept, "ranges", "import", str(file))
    assert done.stdout == "aws: 7 prefixes in 4 regions, published 2026-08-23T00:00:00Z\n"
    status = run(kept, "ranges", "status").stdout.splitlines()
    assert [line.split()[:4] for line in status] == [
        ["vendor", "published", "prefixes", "regions"],
        ["aws", "2026-08-23T00:00:00Z", "7", "4"],
        ["azure", "2026-11-02T00:00:00Z", "8", "1"],
        ["gcp", "2026-08-21T08:05:42Z", "3", "1"],
        ["oci", "2026-07-27T06:55:33Z", "2", "1"],
    ]
    (aws, *_) = json.loads(run(kept, "ranges", "status", "--json").stdout)
    assert (aws["vendor"], aws["source"]) == ("aws", str(file))
    assert len(aws["sha256"]) == 64


def test_a_bad_import_names_the_file_and_changes_nothing(kept: Path) -> None:
    before = run(kept, "ranges", "status").stdout
    bad = kept / "bad.json"
    bad.write_bytes(AWS.read_bytes()[:-30])
    done = run(kept, "ranges", "import", str(GCP), str(bad))
    assert done.returncode == 1
    assert done.stderr == f"originmap: {bad}: Input data was truncated\n"
    assert run(kept, "ranges", "status").stdout == before


def test_the_folder_is_an_option(state: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "elsewhere")
    run(state, "ranges", "import", "--ranges", folder, str(AWS))
    assert "us-west-2" in run(state, "detect", "192.0.2.1", ORIGINMAP_RANGES=folder).stdout
    assert not state.exists()


def test_fetch_stores_new_lists_and_reports_failures(kept: Path) -> None:
    newer = document(AWS)
    newer["createDate"] = "2026-08-23-00-00-00"
    with vendor_server() as server:
        server.pages["/aws"] = Page(json.dumps(newer).encode(), headers={"ETag": '"1"'})
        server.pages["/gcp"] = Page(GCP.read_bytes())
        urls = [f"--url={vendor}={server.url}/{vendor}" for vendor in ("aws", "gcp", "oci")]
        vendors = ["--vendor=oci", "--vendor=aws", "--vendor=gcp"]
        done = run(kept, "ranges", "fetch", *vendors, *urls)
        again = run(kept, "ranges", "fetch", "--vendor=aws", *urls)
    assert done.returncode == 1
    assert done.stderr == f"oci: {server.url}/oci: the server responded 404 Not Found\n"
    assert done.stdout.splitlines() == [
        "aws: 7 prefixes in 4 regions, published 2026-08-23T00:00:00Z",
        "gcp: unchanged",
    ]
    assert (again.returncode, again.stdout) == (0, "aws: unchanged\n")


@pytest.mark.parametrize("url", ["aws", "aws=", "aws=file:///etc/passwd", "ovh=https://ovh.com"])
def test_fetch_refuses_an_invalid_url(state: Path, url: str) -> None:
    done = run(state, "ranges", "fetch", "--url", url)
    assert done.returncode == 2
    assert "VENDOR=https://" in done.stderr


@pytest.mark.parametrize(
    "url", ["https://user:hunter2%40host/x", "https://user:hunter2", "https://user:hunter2@host"]
)
def test_fetch_quotes_no_password_of_a_url(state: Path, url: str) -> None:
    done = run(state, "ranges", "fetch", "--vendor=aws", "--url", f"aws={url}")
    assert done.returncode == 2
    assert "hunter2" not in done.stdout + done.stderr


def test_an_interrupted_run_ends_without_a_traceback(kept: Path) -> None:
    lines = b"".join(_a_million_lines())[:300_000]
    process = subprocess.Popen(
        [sys.executable, "-m", "originmap", "detect", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(kept),
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(lines)
    assert b"Traceback" not in said


def test_a_geofeed_is_imported_for_its_vendor(state: Path) -> None:
    refused = run(state, "ranges", "import", str(LINODE))
    assert refused.returncode == 1
    assert "name its vendor with --vendor" in refused.stderr
    for vendor in ("linode", "acme"):
        feed = LINODE if vendor == "linode" else HETZNER
        done = run(state, "ranges", "import", str(feed), "--vendor", vendor)
        assert (done.returncode, done.stderr) == (0, "")
    assert run(state, "ranges", "import", str(LINODE), "--vendor", "../a").returncode == 2
    (found,) = json.loads(run(state, "detect", "--json", "203.0.113.1").stdout)
    assert (found["vendor"], found["region"]) == ("acme", "de-sn-falkenstein")
    assert found["in_catalogue"] is False
