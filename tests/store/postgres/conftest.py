"""A PostgreSQL server that a test can stop."""

from collections.abc import Iterator

import pytest

from tests.postgres import Cluster


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server that the test may stop."""
    server = Cluster()
    yield server
    server.remove()
