"""A real server, a proxy in front of it, and a client with a fake sleep."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from originmap.client.connection import APIConnection, Credentials
from originmap.client.mappings import RemoteMappings
from tests.faulty import Fault, Proxy, Seen
from tests.process import TOKEN, Server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    with Server(":memory:", folder, args=["--no-log-requests"]) as server:
        yield server


class Asking:
    """A client behind a proxy; `waited` has the seconds of every wait."""

    def __init__(self, proxy: Proxy, credentials: Credentials, stack: ExitStack) -> None:
        self.proxy = proxy
        self.waited: list[float] = []
        self.told: list[str] = []
        connection = APIConnection(
            proxy.api,
            credentials,
            lambda seconds, why: self.told.append(why),
            self.waited.append,
        )
        self.mappings = RemoteMappings(stack.enter_context(connection))


Ask = Callable[..., Asking]


@pytest.fixture
def asking(running: Server) -> Iterator[Ask]:
    """Creates a client whose requests meet these faults."""
    with ExitStack() as stack:

        def ask(
            faults: Callable[[int, Seen], Fault | None] = lambda number, seen: None,
            credentials: Credentials = Credentials(TOKEN),  # noqa: B008  # it is frozen
        ) -> Asking:
            proxy = stack.enter_context(Proxy(running.url, faults))
            return Asking(proxy, credentials, stack)

        yield ask
