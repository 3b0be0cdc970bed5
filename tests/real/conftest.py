"""Servers inside the test's process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from originmap.api.limits import Limits
from tests.real.inprocess import InProcess

HASTY = Limits(header_seconds=0.3, body_seconds=0.3, write_seconds=0.3)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess(tmp_path / "log", Limits()) as server:
        yield server


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[InProcess]:
    """A server that waits for nobody."""
    with InProcess(tmp_path / "log", HASTY) as server:
        yield server
