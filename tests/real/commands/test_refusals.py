"""HEAD, unknown routes, unsupported methods, and bugs: always a response in the envelope."""

from pathlib import Path

import pytest

from originmap import bootstrap, data
from originmap.api.application import Application
from originmap.api.cloudflare.mappings import MappingRoutes
from originmap.api.cloudflare.routes import BASE
from originmap.api.guard import Guard
from originmap.api.http.limits import Limits
from originmap.api.http.router import Route
from originmap.domain.access.permissions import READ_MAPPINGS, WRITE_MAPPINGS
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.mapping import Mapping
from originmap.service.access.access import Access
from originmap.service.access.brake import Brake
from originmap.service.mapping.mappings import Mappings
from originmap.store.clock import wall_clock
from tests.real.inprocess import InProcess
from tests.real.server.probe import (
    BATCH,
    ITEM,
    MAPPINGS,
    NO_ROUTE,
    ONE,
    REGIONS,
    answer_to,
    assert_logged,
)
from tests.real.server.wire import Connection, request


@pytest.mark.parametrize(
    "path",
    [ONE, MAPPINGS, REGIONS, "/healthz", "/readyz", "/originmap/v1/openapi.json"],
)
async def test_head_is_handled_like_get_without_the_body(server: InProcess, path: str) -> None:
    async with Connection(server.url) as connection:
        await connection.ask("PUT", ONE, ITEM)
        got = await connection.ask("GET", path)
        told = await connection.ask("HEAD", path)
        assert (await connection.ask("GET", path)).body == got.body
    assert (told.status, told.body) == (200, b"")
    volatile = {"date", "cf-ray"}
    assert {k: v for k, v in told.headers.items() if k not in volatile} == {
        k: v for k, v in got.headers.items() if k not in volatile
    }
    assert_logged(server, got, told)


async def test_head_of_a_missing_resource_has_no_body(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        answers = [await connection.ask("HEAD", p) for p in (ONE, "/client/v4/no", "/no", BATCH)]
    assert [answer.status for answer in answers] == [404, 400, 404, 405]
    assert_logged(server, *answers)


async def test_an_unknown_path_is_refused_in_the_envelope(server: InProcess) -> None:
    async with Connection(server.url) as connection:
        ours = await connection.ask("GET", "/originmap/v1/nothing")
        theirs = await connection.ask("GET", "/client/v4/nothing")
        root = await connection.ask("GET", "/")
        asterisk = await connection.ask("OPTIONS", "*")
    assert ours.refusal == root.refusal == asterisk.refusal == (404, 7003)
    assert theirs.refusal == NO_ROUTE
    assert_logged(server, ours, theirs, root, asterisk)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", MAPPINGS, "GET, HEAD"),
        ("PATCH", ONE, "GET, HEAD, PUT, DELETE"),
        ("GET", BATCH, "PUT, DELETE"),
        ("OPTIONS", ONE, "GET, HEAD, PUT, DELETE"),
        ("PUT", REGIONS, "GET, HEAD"),
        ("PROPFIND", MAPPINGS, "GET, HEAD"),
        ("TRACE", "/healthz", "GET, HEAD"),
    ],
)
async def test_an_unsupported_method_is_refused_in_the_envelope(
    server: InProcess, method: str, path: str, allow: str
) -> None:
    answer = await answer_to(server, request(method, path))
    assert answer.refusal == (405, 7001)
    assert answer.headers["allow"] == allow
    assert_logged(server, answer)


class BrokenMappings(Mappings):
    """A service with a bug."""

    def get_now(self, zone_id: str, address: Address) -> Mapping | None:
        raise LookupError("the secret plan")


def broken_app(opened: bootstrap.Opened) -> Application:
    brake = Brake(wall_clock)
    guard = Guard(Access(opened.directory, wall_clock), opened.directory, brake)
    mappings = BrokenMappings(opened.store, data.catalogue)
    template = f"{BASE}/zones/{{zone_id:hex32}}/origin/cloud_regions/{{origin_ip}}"
    mapping = MappingRoutes(mappings, opened.detector)
    read, write = guard.zone(READ_MAPPINGS), guard.zone(WRITE_MAPPINGS)
    return Application(
        [
            Route("GET", template, read, mapping.get_mapping),
            Route("PUT", template, write, mapping.put_mapping),
        ],
        brake,
    )


async def test_a_bug_is_an_internal_error_for_users_and_a_traceback_in_the_log(
    tmp_path: Path,
) -> None:
    with InProcess(tmp_path / "log", Limits(), broken_app) as server:
        async with Connection(server.url) as connection:
            answer = await connection.ask("GET", ONE)
            assert answer.refusal == (500, 10500)
            assert [error["message"] for error in answer.json["errors"]] == ["Internal error"]
            assert b"secret" not in answer.body
            assert (await connection.ask("PUT", ONE, ITEM)).status == 200
        assert_logged(server, answer)
    (line,) = [line for line in server.lines() if "traceback" in line]
    assert line["ray"] == answer.headers["cf-ray"]
    assert "LookupError: the secret plan" in line["traceback"]
