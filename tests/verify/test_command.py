"""`originmap verify` as a user runs it."""

import json
import os
import pty
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.process import BEARER, COMMAND, EMAIL, KEY, TOKEN
from tests.real.command import refusal, run
from tests.verify.conftest import Zones, new_zone
from tests.verify.distortions import DISTORTIONS
from tests.verify.wrong_server import WrongServer

TOKEN_SET = {"CLOUDFLARE_API_TOKEN": TOKEN}


def test_a_correct_server_is_the_same_in_every_check(zones: Zones) -> None:
    done = run("verify", "--api", zones.api, "--zone", "on.example", env=TOKEN_SET)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "0 different" in done.stdout
    assert (
        "same       P-PUT-3    The address in the body must equal the one in the path"
        in done.stdout
    )
    assert "not tried  P-PUT-5 " in done.stdout
    assert "    it needs a zone with 3,500 mappings\n" in done.stdout
    assert (
        "same       U-4        What is the error for an invalid address in the path?\n"
        "    same as D-4: an invalid address in the path: 400, 1146 for GET, PUT and DELETE\n"
    ) in done.stdout
    assert listed(zones.api, zones.on) == []


def test_a_difference_is_printed_with_both_responses(zones: Zones) -> None:
    with WrongServer(zones.url, DISTORTIONS["a_path_that_is_no_address"]) as wrong:
        options = ("--zone", zones.on, "--only", "U-4,p-gen-1")
        done = run("verify", "--api", wrong.api, *options, env=TOKEN_SET)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines if line[:1].isalpha()][:2] == [
        ["same", "P-GEN-1"],
        ["different", "D-4"],
    ]
    assert "    DELETE /zones/<zone>/origin/cloud_regions/not-an-address" in lines
    (expected,) = (line for line in lines if line.startswith("      expected  "))
    (answered,) = (line for line in lines if line.startswith("      answered  "))
    assert expected.startswith("      expected  400 {")
    assert answered.startswith("      answered  404 {")
    assert "different  U-4        What is the error for an invalid address in the path?" in lines
    assert lines[-3].startswith("    different from D-4: an invalid address in the path: 400")


def test_the_report_as_json_has_every_fact_and_both_responses(zones: Zones) -> None:
    options = ("--zone", zones.on, "--json", "--only", "U-15,D-4,P-V1-1")
    done = run("verify", "--api", zones.api, *options, env=TOKEN_SET)
    report = json.loads(done.stdout)
    assert (report["format"], report["other_mappings_changed"]) == (1, 0)
    assert report["counts"] == {"same": 1, "different": 0, "not tried": 1}
    assert [(row["id"], row["verdict"]) for row in report["facts"]] == [
        ("P-V1-1", "not tried"),
        ("D-4", "same"),
    ]
    assert report["facts"][0]["reason"].startswith("the v1 routes")
    (unknown,) = report["unknown"]
    assert (unknown["id"], unknown["verdict"], unknown["ours"]) == ("U-15", "same", [])
    checks = {check["name"]: check for check in report["checks"]}
    compared = checks[report["facts"][1]["checks"][0]]["compared"][0]
    assert compared["same"] is True
    assert compared["expected"]["status"] == compared["answered"]["status"] == 400


def test_an_unknown_id_is_refused_with_similar_ids() -> None:
    message = refusal(
        "verify", "--api", "http://127.0.0.1:1", "--zone", "x", "--only", "P-PTU-3", status=2
    )
    assert "'P-PTU-3' is not the ID of a fact; close to it are P-PUT-3" in message


def test_errors_and_differences_have_different_exit_statuses(zones: Zones) -> None:
    wrong = refusal(
        *("verify", "--api", zones.api, "--zone", zones.on),
        status=2,
        env={"CLOUDFLARE_API_TOKEN": "x" * 40},
    )
    assert "the zone's mappings cannot be read: 401, Authentication error (10000)" in wrong
    assert "see docs/verify.md" in wrong
    gone = refusal(
        "verify", "--api", "http://127.0.0.1:1", "--zone", zones.on, status=2, env=TOKEN_SET
    )
    assert "http://127.0.0.1:1" in gone
    none = refusal("verify", "--api", zones.api, "--zone", zones.on, status=2)
    assert "no credentials for the API" in none


def test_the_token_can_be_in_a_file_and_in_either_variable(zones: Zones, tmp_path: Path) -> None:
    options = ("verify", "--api", zones.api, "--zone", zones.on, "--only", "P-TOKEN-1")
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    wrong = {"CLOUDFLARE_API_TOKEN": "x" * 40}
    assert run(*options, "--token-file", file, env=wrong).returncode == 0
    assert run(*options, env={"ORIGINMAP_TOKEN": TOKEN}).returncode == 0
    assert run(*options, env=TOKEN_SET | {"ORIGINMAP_TOKEN": "x" * 40}).returncode == 0


def test_a_key_is_not_accepted_as_a_token(zones: Zones) -> None:
    options = ("verify", "--api", zones.api, "--zone", zones.on, "--only", "P-TOKEN-1,P-GEN-4")
    done = run(*options, env={"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY})
    assert done.returncode == 0
    assert "same       P-GEN-4" in done.stdout
    assert "    the credential of the run is no token\n" in done.stdout


def test_at_most_three_wrong_credentials_are_sent(zones: Zones) -> None:
    with WrongServer(zones.url) as server:
        facts = "P-AUTH-5,P-AUTH-6,P-AUTH-7,P-AUTH-8,D-23,D-42"
        done = run(
            "verify", "--api", server.api, "--zone", zones.on, "--only", facts, env=TOKEN_SET
        )
        refused = [each for each in server.seen if each.failed_login]
    assert len(refused) == 3
    assert "3 wrong credentials were sent already; use --only P-AUTH-5" in done.stdout


def elsewhere(zones: Zones) -> str:
    """The server at an address that the command does not regard as loopback."""
    return zones.api.replace("127.0.0.1", "0.0.0.0")


def test_a_remote_server_gets_no_request_without_a_confirmation(zones: Zones) -> None:
    options = ("verify", "--api", elsewhere(zones), "--zone", zones.on, "--only", "P-GEN-3")
    message = refusal(*options, status=2, env=TOKEN_SET)
    assert "no terminal for the confirmation; give --yes" in message
    assert run(*options, "--yes", env=TOKEN_SET).returncode == 0


@pytest.mark.parametrize(("answer", "status"), [("n", 130), ("y", 0)])
def test_the_prompt_explains_the_run(zones: Zones, answer: str, status: int) -> None:
    zone = new_zone(zones.api, f"asked-{answer}.example")
    with WrongServer(zones.url) as server:
        api = server.api.replace("127.0.0.1", "0.0.0.0")
        done, shown = on_a_terminal(answer, "verify", "--api", api, "--zone", zone, "--only", "D-7")
        written = [each for each in server.seen if each.method != "GET"]
    assert "checks of http://0.0.0.0:" in shown
    assert "requests, at most 3 of them with an unknown credential" in shown
    assert "the zone's other mappings (0) are left alone" in shown
    assert done == status
    assert bool(written) == (answer == "y")


def on_a_terminal(answer: str, *args: str) -> tuple[int, str]:
    """The exit status and the stderr of a command with a terminal as stdin."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *args],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **TOKEN_SET},
    )
    os.write(ours, f"{answer}\n".encode())
    _, shown = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return process.returncode, shown


def listed(api: str, zone: str) -> list[str]:
    answer = httpx.get(f"{api}/zones/{zone}/origin/cloud_regions?per_page=100", headers=BEARER)
    return [each["origin_ip"] for each in answer.json()["result"]]
