"""The data that a run does not touch, and the data that an interrupted run leaves."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from originmap.verify.addresses import canonical
from tests.process import BEARER, COMMAND
from tests.real.command import run
from tests.verify.conftest import Zones, new_zone
from tests.verify.test_command import TOKEN_SET, listed
from tests.verify.wrong_server import NO_ANSWER, Passing, WrongServer

MINE = {"10.0.0.1": "aws us-east-1", "192.0.2.1": "aws us-west-2", "2001:db8::1": "gcp us-central1"}


@pytest.fixture
def zone(zones: Zones, request: pytest.FixtureRequest) -> str:
    return new_zone(zones.api, f"{abs(hash(request.node.name))}.example")


def create(zones: Zones, zone: str, *addresses: str) -> None:
    places = [MINE.get(address, "aws us-east-1").split() for address in addresses]
    items = [
        {"origin_ip": address, "vendor": vendor, "region": region}
        for address, (vendor, region) in zip(addresses, places, strict=True)
    ]
    url = f"{zones.api}/zones/{zone}/origin/cloud_regions/batch"
    with httpx.Client(headers=BEARER) as client:
        for start in range(0, len(items), 100):
            answer = client.put(url, json=items[start : start + 100]).json()
            assert answer["result"]["failed"] == []


class Beside(NamedTuple):
    """A complete run in a zone with MINE: its requests, and the zone before and after."""

    printed: str
    seen: list[Passing]
    before: object
    after: object


@pytest.fixture(scope="module")
def beside(zones: Zones) -> Beside:
    zone = new_zone(zones.api, "beside.example")
    create(zones, zone, *MINE)
    mappings = f"{zones.api}/zones/{zone}/origin/cloud_regions"
    before = httpx.get(mappings, headers=BEARER).json()
    with WrongServer(zones.url) as server:
        done = run("verify", "--api", server.api, "--zone", zone, env=TOKEN_SET)
    assert (done.returncode, done.stderr) == (0, "")
    after = httpx.get(mappings, headers=BEARER).json()
    return Beside(done.stdout, server.seen, before, after)


def test_other_mappings_are_neither_written_nor_deleted(beside: Beside) -> None:
    assert beside.after == beside.before
    writes = [each for each in beside.seen if each.method not in ("GET", "HEAD")]
    named = {address for each in writes for address in named_by(each)}
    assert named.isdisjoint(map(canonical, MINE))
    assert len(named) > 100


def test_no_request_that_could_delete_a_zone_is_sent_to_one_with_mappings(beside: Beside) -> None:
    deletions = [each for each in beside.seen if each.method == "DELETE"]
    batches = [each for each in beside.seen if each.path.endswith("/batch")]
    assert all("/cloud_regions/" in each.path for each in deletions)
    assert len(batches) > 10
    for each in batches:
        items = json.loads(each.sent)
        assert isinstance(items, list)
        assert items
    assert "partly not tried: the zone has other mappings" in beside.printed


def test_only_the_documented_requests_are_sent(beside: Beside) -> None:
    writes = re.compile(r"/client/v4/zones/[0-9a-f]{32}/origin/cloud_regions/[^/]+")
    for each in beside.seen:
        if each.method not in ("GET", "HEAD"):
            assert writes.fullmatch(each.path), each.path
    reads = {re.sub("[0-9a-fA-F]{32}", "Z", each.path) for each in beside.seen}
    others = {path for path in reads if "/cloud_regions" not in path.replace("//", "/")}
    assert {path.removeprefix("/client/v4") for path in others} == {
        "/user/tokens/verify",
        "/zones",
        "/zones/Z",
        "/zones/Z/argo/tiered_caching",
        "/zones/Z/cache/regional_tiered_cache",
        "/zones/Z/cache/tiered_cache_smart_topology_enable",
    }


def named_by(passing: Passing) -> Iterator[object]:
    last = passing.path.partition("?")[0].rpartition("/")[2]
    with contextlib.suppress(ValueError):
        body = json.loads(passing.sent or b"null")
        for item in body if isinstance(body, list) else [body]:
            text = item.get("origin_ip") if isinstance(item, dict) else item
            yield canonical(text) if isinstance(text, str) else None
    yield canonical(last)


def test_a_mapping_that_a_server_loses_is_reported(zones: Zones, zone: str) -> None:
    create(zones, zone, "192.0.2.1", "2001:db8::1")

    def lose(passing: Passing) -> None:
        if passing.path.endswith("/batch"):
            url = f"{zones.api}/zones/{zone}/origin/cloud_regions/2001:db8::1"
            httpx.delete(url, headers=BEARER)

    with WrongServer(zones.url, before=lose) as server:
        options = ("--zone", zone, "--only", "P-BPUT-2", "--json")
        done = run("verify", "--api", server.api, *options, env=TOKEN_SET)
    assert done.returncode == 1
    assert (
        "another mapping of the zone changed meanwhile: 2001:db8::1: was gcp us-central1, now gone"
        in done.stderr
    )
    assert json.loads(done.stdout)["other_mappings_changed"] == 1


def test_mappings_in_the_ranges_of_a_run_are_reported_and_kept(zones: Zones, zone: str) -> None:
    left = ("192.0.2.65", "198.51.100.129", "2001:db8:7665:7269:6679::1")
    create(zones, zone, *left, "192.0.2.1")
    done = run("verify", "--api", zones.api, "--zone", zone, "--only", "P-GEN-10", env=TOKEN_SET)
    assert done.returncode == 0
    assert (
        "3 mappings may be left from an interrupted run: "
        "192.0.2.65, 198.51.100.129, 2001:db8:7665:7269:6679::1\n"
        f"  if unneeded, delete each: DELETE /zones/{zone}/origin/cloud_regions/ADDRESS\n"
    ) in done.stderr
    assert listed(zones.api, zone) == ["192.0.2.1", *left]


def test_the_effect_of_a_delete_is_checked(zones: Zones, zone: str) -> None:
    """If a server responds to DELETE without deleting, the remaining mappings are reported."""

    def forget(passing: Passing) -> None:
        if passing.method == "DELETE":
            passing.path = passing.path.replace("/cloud_regions/", "/cloud_regions/x")

    def pretend(passing: Passing) -> None:
        if passing.method == "DELETE":
            passing.status = 200

    with WrongServer(zones.url, pretend, forget) as server:
        options = ("--zone", zone, "--only", "P-GEN-3")
        done = run("verify", "--api", server.api, *options, env=TOKEN_SET)
    assert done.returncode == 2
    assert "these mappings of this run may be left: 198.51.100.129" in done.stderr
    assert listed(zones.api, zone) == ["198.51.100.129"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_deletes_its_mappings(
    zones: Zones, zone: str, number: signal.Signals, tmp_path: Path
) -> None:
    written = threading.Event()

    def notice(passing: Passing) -> None:
        if passing.method == "PUT" and passing.status == 200:
            written.set()
            time.sleep(0.2)  # the signal arrives before the response

    answers = tmp_path / "answers.jsonl"
    with WrongServer(zones.url, notice) as server:
        process = started(server, zone, "--record", str(answers))
        assert written.wait(30)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "stopping: deleting the mappings of this run" in err
    assert err.endswith("stopped; nothing is left of this run\n")
    assert '"method":"DELETE"' in answers.read_text("utf-8")
    assert listed(zones.api, zone) == []


def test_a_second_signal_ends_the_run_with_a_list_of_possible_remains(
    zones: Zones, zone: str
) -> None:
    written, deleting, end = threading.Event(), threading.Event(), threading.Event()

    def hang(passing: Passing) -> None:
        if passing.method == "PUT":
            written.set()
            end.wait(0.2)
        if passing.method == "DELETE":
            deleting.set()
            end.wait(30)

    with WrongServer(zones.url, before=hang) as server:
        process = started(server, zone)
        for happened in (written, deleting):
            assert happened.wait(30)
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        end.set()
    assert (process.returncode, out) == (2, "")
    assert "these mappings of this run may be left: 198.51.100." in err
    assert f"delete each of them: DELETE /zones/{zone}/origin/cloud_regions/ADDRESS" in err


def started(server: WrongServer, zone: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "verify", "--api", server.api, "--zone", zone, "--only", "P-GEN-3", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **TOKEN_SET},
    )


@pytest.mark.parametrize("status", [429, 503])
def test_after_a_rejected_write_no_more_writes_are_sent(
    zones: Zones, zone: str, status: int
) -> None:
    def gone(passing: Passing) -> None:
        if passing.method == "PUT":
            passing.status, passing.headers = status, {"retry-after": "0"}

    with WrongServer(zones.url, gone) as server:
        options = ("--zone", zone, "--only", "P-GEN-3")
        done = run("verify", "--api", server.api, *options, env=TOKEN_SET)
    assert done.returncode == {429: 2, 503: 1}[status]
    assert listed(zones.api, zone) == []


def test_a_broken_connection_is_a_difference_and_the_run_continues(zones: Zones, zone: str) -> None:
    def drop(passing: Passing) -> None:
        if len(passing.sent) > 1 << 20:
            passing.status = NO_ANSWER

    with WrongServer(zones.url, drop) as server:
        options = ("--zone", zone, "--only", "D-19,D-20")
        done = run("verify", "--api", server.api, *options, env=TOKEN_SET)
    assert done.returncode == 1
    assert "different  D-19" in done.stdout
    assert "      answered  none\n" in done.stdout
    assert "same       D-20" in done.stdout
    assert listed(zones.api, zone) == []


def test_a_check_without_a_free_address_is_skipped(zones: Zones, zone: str) -> None:
    create(zones, zone, *[f"198.51.100.{n}" for n in range(129, 255)])
    options = ("--zone", zone, "--only", "P-PUT-1,P-GEN-10")
    done = run("verify", "--api", zones.api, *options, env=TOKEN_SET)
    assert done.returncode == 0
    assert "    the zone has mappings for all documentation addresses of verify\n" in done.stdout
    assert "not tried  P-PUT-1" in done.stdout
    assert "same       P-GEN-10" in done.stdout
    assert "126 mappings may be left from an interrupted run: 198.51.100.129, " in done.stderr
    assert "198.51.100.133 and 121 more\n" in done.stderr


def test_no_write_is_sent_to_a_full_zone(zones: Zones, zone: str, tmp_path: Path) -> None:
    create(zones, zone, *[f"10.1.{n >> 8}.{n & 255}" for n in range(3500)])
    answers = tmp_path / "answers.jsonl"
    options = ("--zone", zone, "--only", "P-PUT-1,P-LIST-4", "--record", answers)
    done = run("verify", "--api", zones.api, *options, env=TOKEN_SET)
    assert done.returncode == 0
    assert "    the zone has 3,500 mappings\n" in done.stdout
    assert "same       P-LIST-4" in done.stdout
    recorded = answers.read_text("utf-8")
    assert "<ip-3500>" in recorded
    assert "10.1." not in recorded
