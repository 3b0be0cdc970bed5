"""The gRPC server of the discovery service: its socket, its certificates and its limits."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc

from originmap.api.listener import CannotListen
from originmap.xds.service import DiscoveryService
from originmap.xds.services import XDSServices

MOST_STREAMS = 2_000
_LARGEST_REQUEST = 4 << 20
"""Limit of a request in bytes."""
_STOP_SECONDS = 0.5
_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST_REQUEST),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.so_reuseport", 0),
    # Find out within a minute that a client is gone.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
_AGE_BY_CERTIFICATE = ("grpc.max_connection_age_ms", 3_600_000)
"""A client's certificate is checked when it connects, so connections by certificate are renewed."""


class XDSListener(NamedTuple):
    """Where to listen, and the files of certificates in PEM format: the server's with its key, and
    the CA of the clients'; "" for none."""

    host: str
    port: int
    certificate: str = ""
    key: str = ""
    client_ca: str = ""


@contextlib.asynccontextmanager
async def serving_xds(listener: XDSListener, services: XDSServices) -> AsyncIterator[None]:
    """Serve. Raises CannotListen."""
    options = [*_OPTIONS, *([_AGE_BY_CERTIFICATE] if listener.client_ca else [])]
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MOST_STREAMS)
    service = DiscoveryService(services)
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    address = f"{host}:{listener.port}"
    ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(service, server)
    try:
        if listener.certificate:
            server.add_secure_port(address, _Certificates(listener).credentials())
        else:
            server.add_insecure_port(address)
    except RuntimeError:
        reason = "gRPC cannot bind it: it may be in use"
        raise CannotListen(listener.host, listener.port, reason) from None
    await server.start()
    try:
        yield
    finally:
        await server.stop(_STOP_SECONDS)


class _Certificates:
    """The certificates, read again for each connection, so that they can be renewed."""

    def __init__(self, listener: XDSListener) -> None:
        self._listener = listener
        self._read: tuple[bytes, bytes, bytes | None] | None = None

    def credentials(self) -> Any:
        """Credentials for the server. Raises CannotListen."""
        try:
            first = self._configuration()
        except (OSError, ValueError) as error:
            raise CannotListen(self._listener.host, self._listener.port, str(error)) from error
        return grpc.dynamic_ssl_server_credentials(
            first, self._changed, require_client_authentication=bool(self._listener.client_ca)
        )

    def _changed(self) -> Any:
        """The new certificates; None if they have not changed or cannot be read."""
        before = self._read
        try:
            configuration = self._configuration()
        except OSError:
            return None
        return None if self._read == before else configuration

    def _configuration(self) -> Any:
        listener = self._listener
        ca = Path(listener.client_ca).read_bytes() if listener.client_ca else None
        key, certificate = Path(listener.key).read_bytes(), Path(listener.certificate).read_bytes()
        self._read = key, certificate, ca
        return grpc.ssl_server_certificate_configuration([(key, certificate)], ca)
