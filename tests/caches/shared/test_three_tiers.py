"""Three real caches in a row, edge, regional hub and upper tier: a request passes them in order."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from originmap.domain.tier.cache import Cache as Listed
from originmap.export.endpoint import Endpoints
from originmap.export.formats import format_called
from tests.asyncio_server import close
from tests.caches.programs.cache import IP, ZONE, Cache
from tests.caches.programs.shared_envoy import SharedEnvoy
from tests.caches.programs.shared_haproxy import SharedHAProxy
from tests.caches.programs.shared_nginx import SharedNginx
from tests.caches.programs.shared_trafficserver import SharedTrafficServer
from tests.caches.programs.shared_varnish import SharedVarnish
from tests.caches.shared.crowd import Crowd, Member
from tests.export.samples import COLOS, REGIONAL, VIRGINIA, export, node
from tests.waiting import PATIENCE_SECONDS

PROGRAMS = [
    (SharedNginx, SharedVarnish, SharedHAProxy),
    (SharedEnvoy, SharedHAProxy, SharedTrafficServer),
    (SharedVarnish, SharedEnvoy, SharedNginx),
]
ROW = ("SIN", "FRA", "IAD")
HOSTS = {"fra-1": "127.0.2.1", "iad-1": "127.0.1.1", "origin": "127.0.3.1"}


class Door:
    """Listens in front of a cache, passes its requests on, and notes the path and mark of each."""

    def __init__(self, member: Member, cache: Cache, notes: list[tuple[str, str, str]]) -> None:
        self._member = member
        self._cache = cache
        self._notes = notes

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._pass_on, self._member.host, self._member.port)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner, into = await asyncio.open_connection("127.0.0.1", self._cache.port)
        except OSError:  # it is starting
            writer.close()
            return
        answers = asyncio.create_task(_copy(inner, writer))
        with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode().split("\r\n")
                marks = [line for line in lines if line.lower().startswith("x-originmap-colo:")]
                mark = "".join(marks).partition(":")[2].strip()
                self._notes.append((lines[0].split()[1], self._member.name, mark))
                into.write(head)
                await into.drain()
        into.close()
        await answers


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and close then: Varnish's probes wait for that."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    with Crowd(HOSTS) as crowd:
        for name in ("fra-1", "iad-1"):
            crowd[name].stop()
        yield crowd


@pytest.mark.parametrize(
    "programs", PROGRAMS, ids=lambda row: "-".join(program.called()[6:] for program in row)
)
def test_a_request_passes_edge_hub_upper_tier_and_origin(
    programs: tuple[type[Cache], ...], crowd: Crowd, tmp_path: Path
) -> None:
    listed = {
        name[:3].upper(): (Listed(name, crowd[name].host, crowd[name].port),) for name in HOSTS
    }
    colos = [replace(c, caches=listed.get(c.code, ())) for c in COLOS if c.code != "NRT"]
    notes: list[tuple[str, str, str]] = []
    with ExitStack() as stack:
        row = []
        for colo, program in zip(ROW, programs, strict=True):
            folder = tmp_path / colo
            folder.mkdir()
            cache = stack.enter_context(program(folder, crowd))
            of = node(
                colo, zones=REGIONAL[:1], hubs={"asia": ("FRA",)}, colos=colos,
                endpoints=Endpoints(), places=(VIRGINIA,),
            )  # fmt: skip
            files = format_called(cache.format).all(of)
            cache.load({file.name: export(file, of, {ZONE: {IP: VIRGINIA}}) for file in files})
            row.append(cache)
        for name, cache in zip(("fra-1", "iad-1"), row[1:], strict=True):
            server = crowd.run(Door(crowd[name], cache, notes).listen())
            stack.callback(lambda listening=server: crowd.run(close(listening)))
        assert _hops(crowd, row, notes) == [("fra-1", "hub"), ("iad-1", "IAD")]


def _hops(
    crowd: Crowd, row: list[Cache], notes: list[tuple[str, str, str]]
) -> list[tuple[str, str]]:
    """The caches behind the edge that a request passes on its way to the origin, and their marks.
    The first requests can go another way, because health checks need a while."""
    edge = row[0]
    headers = "".join(f"{name}: {value}\r\n" for name, value in edge.headers.items())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        path = f"/{len(notes)}-{time.monotonic()}"
        answer = crowd.ask(edge.port, [path], ZONE, headers)[path]
        hops = [(name, mark) for noted, name, mark in notes if noted == path]
        if answer == "origin " and len(hops) > 1:
            return hops
        assert time.monotonic() < deadline, (answer, hops, *(cache.log() for cache in row))
        time.sleep(0.2)
