"""Fixtures that several rooms use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=50, help="kills in the crash test")


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Server]:
    """A fresh `originmap dev` process."""
    with Server(str(tmp_path / "dev.db"), tmp_path) as server:
        yield server
