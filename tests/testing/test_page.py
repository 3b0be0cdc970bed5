"""The examples in docs/testing.md work."""

import json
import re
from pathlib import Path

import pytest

from originmap.testing import Server

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)


@pytest.mark.parametrize("heading", ["Faults", "The clock"])
def test_the_python_code_of_the_page_runs(originmap: Server, heading: str) -> None:
    (code,) = blocks(heading, "python")
    exec(compile(code, "testing.md", "exec"), {"server": originmap})


def test_the_faults_on_the_page_are_valid(originmap: Server) -> None:
    (text,) = blocks("Faults", "json")
    faults = [json.loads(line) for line in text.splitlines()]
    for fault in faults:
        originmap.control.ask("POST", "/faults", fault)
    waiting = originmap.control.ask("GET", "/faults")
    assert [fault["kind"] for fault in waiting] == [fault["kind"] for fault in faults]


def test_the_times_on_the_page_are_valid(originmap: Server) -> None:
    (text,) = blocks("The clock", "json")
    freeze, advance, run = (json.loads(line) for line in text.splitlines())
    originmap.control.ask("PUT", "/clock", freeze)
    later = originmap.control.ask("PUT", "/clock", advance)
    assert later == {"now": "2026-03-01T13:00:00.000000Z", "frozen": True}
    assert originmap.control.ask("PUT", "/clock", run)["frozen"] is False


def test_the_operations_on_the_page_exist(originmap: Server) -> None:
    names = set(re.findall(r"`((?:list|get|put|delete)_\w+)`", PAGE))
    assert len(names) == 7
    for name in [*names, *(f"v1_{name}" for name in names), "origin-cloud-regions-v2-upsert"]:
        originmap.delay(name, 1)


def test_the_first_test_on_the_page_passes(pytester: pytest.Pytester) -> None:
    (code,) = blocks("pytest", "python")
    pytester.makepyfile(
        deploy="""
        def deploy(client, zone_id):
            client.cache.origin_cloud_regions.update(
                "192.0.2.1",
                zone_id=zone_id,
                body_origin_ip="192.0.2.1",
                vendor="aws",
                region="us-east-1",
            )
        """
    )
    pytester.makepyfile(f"from deploy import deploy\n{code}")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
