"""The limits on files and connections, checked when the server starts."""

import json
import resource
from pathlib import Path

import pytest

from tests.process import Server


@pytest.mark.parametrize(
    ("soft", "hard", "after", "warns"),
    [(1_024, 20_000, 8_704, False), (1_024, 1_024, 1_024, True), (16_384, 16_384, 16_384, False)],
)
def test_the_file_descriptor_limit_is_raised_or_warned_about_at_the_start(
    tmp_path: Path, soft: int, hard: int, after: int, warns: bool
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < hard:
        pytest.skip(f"this process can open only {before[1]} files")
    with Server(":memory:", tmp_path, limits={resource.RLIMIT_NOFILE: (soft, hard)}) as server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0] == after
    lines = [line for line in server.log.read_text().splitlines() if "descriptors" in line]
    assert len(lines) == warns
    if warns:
        data = json.loads(lines[0])
        assert data["limit"] == 1_024
        assert data["needed"] == 8_704
        assert "ulimit -Hn 8704" in data["hint"]
