"""The deprecated v1 routes through the last official client that supports them.

It is installed in a separate folder beside the test environment, and runs in a separate process:
v1_program.py has the calls, this file the expected responses.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.test_typescript import BY_KEY, BY_TOKEN
from tests.process import ZONE, Server

CLIENT = Path(sys.prefix) / "v1client"
PROGRAM = Path(__file__).with_name("v1_program.py")
URL = f"/client/v4/zones/{ZONE}/origin/cloud_regions"


def wrapped(value: Any, modified_on: str | None = "time") -> dict[str, Any]:
    return {
        "editable": True,
        "id": "origin_public_cloud_region",
        "modified_on": modified_on,
        "value": value,
    }


def entry(origin_ip: str, vendor: str, region: str) -> dict[str, str]:
    return {"modified_on": "time", "origin-ip": origin_ip, "region": region, "vendor": vendor}


def item(origin_ip: str, vendor: str, region: str) -> dict[str, str]:
    return {"origin-ip": origin_ip, "region": region, "vendor": vendor}


VIRGINIA = entry("192.0.2.1", "aws", "us-east-1")
IOWA = entry("2001:db8::1", "gcp", "us-central1")
SEVENTH = item("192.0.2.7", "aws", "us-east-1")
EXPECTED = {
    "client": "5.1.0",
    "empty list": wrapped([], None),
    "create": wrapped(VIRGINIA),
    "create again": [400, 1145],
    "edit": wrapped([VIRGINIA, IOWA]),
    "get": wrapped(IOWA),
    "bulk edit": wrapped(
        {
            "failed": [{"error": "Invalid or missing origin IP address.", "origin-ip": "nonsense"}],
            "succeeded": [SEVENTH],
        }
    ),
    "bulk delete": wrapped(
        {
            "failed": [
                {
                    "error": "The origin IP has no cloud region mapping.",
                    "origin-ip": "192.0.2.99",
                }
            ],
            "succeeded": [SEVENTH],
        }
    ),
    "delete": wrapped(VIRGINIA),
    "delete again": [404, 1163],
    "get again": [404, 1142],
    "list": wrapped([IOWA]),
    "vendors": ["aws", "azure", "gcp", "oci"],
    "headers": {
        "deprecation": "@1790812800",
        "sunset": "Thu, 01 Oct 2026 00:00:00 GMT",
        "link": f'<{URL}>; rel="successor-version"',
    },
}


@pytest.fixture(params=[BY_TOKEN, BY_KEY], ids=["token", "key"])
def settings(emptied: Server, request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables that a user sets to use Originmap."""
    if not CLIENT.exists():
        reason = "the v1 client is not installed; make unit does it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return {"CLOUDFLARE_BASE_URL": emptied.api, "PYTHONPATH": str(CLIENT), **request.param}


@pytest.mark.proves("P-V1-1", "P-V1-2", "P-V1-3", "P-V1-4", "P-V1-5", "P-V1-6", "P-V1-7", "D-24")
def test_all_eight_operations_have_the_published_responses(settings: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    got = dict(json.loads(line) for line in done.stdout.splitlines())
    assert got == EXPECTED


def test_the_lock_names_no_registry() -> None:
    lock = Path(__file__).parents[2] / "requirements" / "v1client.txt"
    assert "://" not in lock.read_text()
