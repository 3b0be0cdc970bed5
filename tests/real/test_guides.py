"""The guides: every command prints the output in its guide."""

import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.caches.programs.cache import ENVIRONMENT, found
from tests.process import BEARER, TOKEN, Server
from tests.real import command, console, reverse_proxy
from tests.real.console import Step

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
RANGES = ROOT / "tests" / "detect" / "files" / "aws.json"

NAMES = {
    "sudo -u originmap ": "",
    "/opt/originmap/bin/": "",
    "/var/lib/originmap/": "data/",
}
"""Paths and names in a guide that need root, and their replacements in the test."""

PROGRAMS = {"feeding-nginx.md": ["nginx"], "mappings-in-git.md": ["git"]}

BEFORE = {
    "production.md": [
        Step("mkdir data"),
        Step(
            "originmap serve --db data/originmap.db",
            ready="curl -sf http://127.0.0.1:8787/healthz",
        ),
    ],
    "why-an-origin-fills-from.md": [
        Step(
            f"sed -e s#192.0.2.0/25#52.94.76.0/22# -e s#198.51.100.0/28#3.80.0.0/12# {RANGES}"
            " > aws.json\noriginmap ranges import aws.json"
        ),
    ],
}
"""The state before a guide: systemd has started the server, the ranges are downloaded."""


def run(guide: Path, after: list[Step] | None = None, *, folder: Path) -> list[tuple[Step, str]]:
    """The steps of a guide, each with its real output."""
    steps = [
        *BEFORE.get(guide.name, []),
        *console.steps_of(guide.read_text("utf-8")),
        *(after or []),
    ]
    printed = console.run_steps(steps, folder, NAMES)
    return list(zip(steps, printed, strict=True))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_of_a_guide_prints_the_output_in_the_guide(
    guide: Path, tmp_path: Path
) -> None:
    found("curl", *PROGRAMS.get(guide.name, []))
    wrong = [
        f"$ {step.command}\n{printed}"
        for step, printed in run(guide, folder=tmp_path)
        if step.end and not console.agrees(step.shown, printed)
    ]
    assert wrong == []


def test_every_console_block_runs_or_has_a_reason_not_to() -> None:
    """`steps_of` rejects an unknown mark; a block without `$` has no commands."""
    for guide in GUIDES:
        page = guide.read_text("utf-8")
        reasons = re.findall(r"^<!-- not run: (.*) -->$", page, re.M)
        assert console.steps_of(page), guide.name
        assert all(len(reason) > 10 for reason in reasons), guide.name
        assert "\n    $ " not in page, f"{guide.name}: a command outside a console block"


def test_the_ci_examples_plan_apply_and_find_no_drift(tmp_path: Path) -> None:
    found("curl", "git")
    guide = ROOT / "docs" / "guides" / "mappings-in-git.md"
    scripts = [
        script
        for script in [*github_scripts(guide), *gitlab_scripts(guide)]
        if "pip install" not in script
    ]
    assert len(scripts) == 7
    after = [
        Step(f"( set -e; GITHUB_STEP_SUMMARY=summary.md\n{script}\n) && echo passed")
        for script in scripts
    ]
    outcome = run(guide, after, folder=tmp_path)
    failed = [
        printed for step, printed in outcome[-len(after) :] if not printed.endswith("passed\n")
    ]
    assert failed == []


def github_scripts(guide: Path) -> list[str]:
    workflow = example(guide, ".github/workflows/mappings.yaml")
    return [step["run"] for step in workflow["jobs"]["mappings"]["steps"] if "run" in step]


def gitlab_scripts(guide: Path) -> list[str]:
    jobs = example(guide, ".gitlab-ci.yml")
    return [line for name in ("plan", "apply", "drift") for line in jobs[name]["script"]]


def example(guide: Path, name: str) -> Any:
    """The YAML of this file in a guide."""
    (text,) = re.findall(
        rf"^<!-- file: {re.escape(name)} -->\n```yaml\n(.*?)^```$",
        guide.read_text("utf-8"),
        re.M | re.S,
    )
    return yaml.safe_load(text)


def test_nginx_with_the_configuration_of_the_guide_serves_the_api_over_tls(tmp_path: Path) -> None:
    found("nginx")
    with Server(":memory:", tmp_path) as server, nginx(server, tmp_path) as url:
        trusted = ssl.create_default_context(cafile=str(reverse_proxy.CA))
        with httpx.Client(base_url=url, headers=BEARER, verify=trusted) as client:
            assert client.get("/metrics").status_code == 403
            assert first_event(client) == "event: changes"
        env = {"ORIGINMAP_TOKEN": TOKEN, "SSL_CERT_FILE": str(reverse_proxy.CA)}
        assert "example.com" in command.run("zone", "list", "--server", url, env=env).stdout


@contextmanager
def nginx(server: Server, folder: Path) -> Iterator[str]:
    """nginx with the guide's configuration in front of a server, and its URL."""
    guide = (ROOT / "docs" / "guides" / "production.md").read_text("utf-8")
    (shown,) = re.findall(r"^```nginx\n(.*?)^```$", guide, re.M | re.S)
    (port,) = console.free_ports(1)
    site = shown.replace("listen 443", f"listen 127.0.0.1:{port}")
    site = site.replace("http://127.0.0.1:8787", server.url)
    site = re.sub(r"/etc/letsencrypt/\S+\.pem", str(reverse_proxy.FOLDER / "server.pem"), site)
    temporary = "".join(
        f"{kind}_temp_path temp; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid nginx.pid; events {{}} http {{ access_log off; {temporary}\n{site} }}"
    )
    arguments = [
        "nginx",
        "-p",
        str(folder),
        "-c",
        "nginx.conf",
        "-e",
        "stderr",
        "-g",
        "daemon off;",
    ]
    with subprocess.Popen(arguments, env={**os.environ, **ENVIRONMENT}) as process:
        console.wait_for_port(port)
        yield f"https://127.0.0.1:{port}"
        process.terminate()


def first_event(client: httpx.Client) -> str:
    """The first line of the change feed as a stream; a proxy that buffers responses would hold it
    back.
    """
    headers = {"Accept": "text/event-stream"}
    with client.stream("GET", "/originmap/v1/changes?since=0", headers=headers) as answer:
        return next(line for line in answer.iter_lines() if line.startswith("event"))
