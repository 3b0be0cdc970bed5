"""TLS: clients with a certificate of the operator's CA need no token."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from originmap.api.listener import CannotListen
from tests.xds import certificates
from tests.xds.node_client import described
from tests.xds.world import World, opened_world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certificates.made(folder, "localhost", "sin-1")
    return folder


@pytest.fixture
async def world(folder: Path) -> AsyncIterator[World]:
    files = {"xds_cert": "localhost.pem", "xds_key": "localhost.key", "xds_client_ca": "ca.pem"}
    async with opened_world(**{n: str(folder / name) for n, name in files.items()}) as world:
        yield world


@contextlib.asynccontextmanager
async def channel_of(world: World, folder: Path, name: str = "") -> AsyncIterator[grpc.aio.Channel]:
    """A connection with a client's certificate, or with none."""
    key, certificate = (folder / f"{name}.{end}" for end in ("key", "pem"))
    own = (key.read_bytes(), certificate.read_bytes()) if name else (None, None)
    credentials = grpc.ssl_channel_credentials((folder / "ca.pem").read_bytes(), *own)
    address = f"localhost:{world.port}"
    async with grpc.aio.secure_channel(address, credentials) as channel:
        yield channel


async def test_a_node_with_a_certificate_for_its_name_needs_no_token(
    world: World, folder: Path
) -> None:
    async with channel_of(world, folder, "sin-1") as channel:
        async with world.node(None, channel=channel) as node:
            await node.complete()
            assert node.hosts() == ["example.com", "example.net", "example.org"]
            await world.until(lambda: world.follower().applied, "the report")
        status, text = await world.refusal("", channel, node=described("fra-1"))
        assert status is grpc.StatusCode.PERMISSION_DENIED
        assert text == "the certificate is not for node fra-1"


async def test_a_token_beside_a_certificate_decides(world: World, folder: Path) -> None:
    async with channel_of(world, folder, "sin-1") as channel:
        async with world.node("secret-edge", "fra-1", channel=channel) as node:
            await node.complete()
        status, _ = await world.refusal("x" * 40, channel)
        assert status is grpc.StatusCode.UNAUTHENTICATED


async def test_a_client_without_certificate_is_refused(world: World, folder: Path) -> None:
    async with channel_of(world, folder) as channel:
        assert (await world.refusal("secret-edge", channel))[0] is grpc.StatusCode.UNAVAILABLE


async def test_a_missing_certificate_is_named(folder: Path) -> None:
    files = {"xds_cert": str(folder / "none.pem"), "xds_key": str(folder / "localhost.key")}
    with pytest.raises(CannotListen, match=r"none\.pem"):
        async with opened_world(**files):
            pass
