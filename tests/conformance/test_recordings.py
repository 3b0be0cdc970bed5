"""A recording replays: a run against it gives the report of the run that was recorded.

`originmap_dev.jsonl` is of `originmap dev`. After a change of the checks, or of what they find, it
is made again by

    originmap dev --db :memory: --rate-limit 100000/300
    originmap verify --api http://127.0.0.1:8787/client/v4 --zone example.com \
        --record tests/conformance/originmap_dev.jsonl
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.replay import ZONE, ReplayServer
from tests.process import TOKEN, Server
from tests.real.command import run

OURS = Path(__file__).with_name("originmap_dev.jsonl")
ENV = {"CLOUDFLARE_API_TOKEN": TOKEN}
SECRETS = ("Bearer", TOKEN, "023e105f4ecef8ad9ca31a8372d0c353", "user@example.com", "example.com")


def report_of(api: str, zone: str, *options: str | Path) -> dict[str, Any]:
    done = run("verify", "--api", api, "--zone", zone, "--json", *options, env=ENV)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def replayed(recording: Path, folder: Path) -> dict[str, Any]:
    """The report of a run against a recording. It is recorded too, because IDs are numbered in the
    order in which they are first written."""
    with ReplayServer(recording) as server:
        report = report_of(server.api, ZONE, "--record", folder / "again.jsonl")
        assert (server.unlike, server.left) == ([], 0)
    return report


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The report and the recording of a run against `originmap dev`."""
    folder = tmp_path_factory.mktemp("recorded")
    with Server(":memory:", folder, args=("--rate-limit", "100000/300")) as server:
        file = folder / "answers.jsonl"
        return report_of(server.api, "example.com", "--record", file), file


def test_a_run_against_its_recording_gives_the_same_report(
    recorded: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    report, file = recorded
    assert replayed(file, tmp_path) == report


def test_the_packaged_recording_gives_the_verdicts_of_today(
    recorded: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    assert verdicts(replayed(OURS, tmp_path)) == verdicts(recorded[0])


def test_a_recording_has_no_secrets_and_no_names(recorded: tuple[dict[str, Any], Path]) -> None:
    for text in (OURS.read_text("utf-8"), recorded[1].read_text("utf-8"), json.dumps(recorded[0])):
        assert [secret for secret in SECRETS if secret in text] == []


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    rows = (*report["facts"], *report["unknown"])
    return {row["id"]: f"{row['verdict']} {row.get('reason', '')}" for row in rows}
