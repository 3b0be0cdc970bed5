"""The aggregated discovery service: authenticates nodes, and serves each on one stream.

A stream ends when its token is revoked, changed or expires. What a node has applied and rejected is
reported like an agent's own reports, so that `originmap followers` and rollouts know it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc

from originmap.api.guard import bearer_of
from originmap.domain.access.errors import (
    AccessError,
    Forbidden,
    MalformedCredentials,
    MissingCredentials,
    TooManyFailures,
    UnknownToken,
    UnusableToken,
)
from originmap.domain.access.permissions import Grants, everything_of
from originmap.domain.errors import InvalidQuery, OriginmapError, StoreError
from originmap.service.access.directory import Caller
from originmap.service.feed.followers import NAME
from originmap.xds.connected_node import ConnectedNode
from originmap.xds.services import XDSServices
from originmap.xds.wire import DELTA, STATE_OF_THE_WORLD, Wire, XDSNode, node_of

_LOG = logging.getLogger(__name__)
_FIRST_SECONDS = 10.0
"""How long a client may take until its first request."""
_BY_CERTIFICATE = Caller("certificate", Grants([everything_of("")]), "", None)
"""The caller of a node without a token, whose certificate is by the operator's CA."""
_STATUS: Mapping[type[OriginmapError], grpc.StatusCode] = {
    MissingCredentials: grpc.StatusCode.UNAUTHENTICATED,
    MalformedCredentials: grpc.StatusCode.UNAUTHENTICATED,
    UnknownToken: grpc.StatusCode.UNAUTHENTICATED,
    UnusableToken: grpc.StatusCode.UNAUTHENTICATED,
    TooManyFailures: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AccessError: grpc.StatusCode.PERMISSION_DENIED,
    InvalidQuery: grpc.StatusCode.INVALID_ARGUMENT,
    StoreError: grpc.StatusCode.UNAVAILABLE,
    OriginmapError: grpc.StatusCode.INTERNAL,
}
"""By the first class that an error is of."""


class DiscoveryService(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    """Serves both protocols."""

    def __init__(self, services: XDSServices) -> None:
        self._services = services

    async def DeltaAggregatedResources(self, requests: object, context: Any) -> None:
        """Serve a stream of the incremental protocol."""
        await self._serve(context, DELTA)

    async def StreamAggregatedResources(self, requests: object, context: Any) -> None:
        """Serve a stream of the state-of-the-world protocol."""
        await self._serve(context, STATE_OF_THE_WORLD)

    async def _serve(self, context: Any, wire: Wire) -> None:
        counts = self._services.counts
        counts.streams += 1
        try:
            await self._serve_node(context, wire)
        except OriginmapError as error:
            status = next(s for kind, s in _STATUS.items() if isinstance(error, kind))
            text = f"{error}: {error.hint}" if error.hint else str(error) or _name_of(error)
            await context.abort(status, text)
        finally:
            counts.streams -= 1

    async def _serve_node(self, context: Any, wire: Wire) -> None:
        address = _address(context.peer())
        caller = await self._caller(context, address)
        request = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_SECONDS):
                request = await context.read()
        if request is None:
            raise InvalidQuery(f"no request within {_FIRST_SECONDS:.0f} s")
        if request is grpc.aio.EOF:
            return
        node = node_of(request.node)
        self._check(caller, node, context)
        connected = ConnectedNode(node, caller, address, wire, self._services)
        _LOG.info("node connected", extra={"data": {"node": node.name, "client": address}})
        await connected.serve(request, context)

    async def _caller(self, context: Any, address: str) -> Caller:
        """The caller of a stream, by its token or else by its certificate."""
        services = self._services
        services.access.check_loaded()
        metadata = dict(context.invocation_metadata() or ())
        header = metadata.get("authorization")
        if header is None:
            if _certified(context):
                return _BY_CERTIFICATE
            raise MissingCredentials("any")
        try:
            return services.access.by_token(bearer_of(str(header)), address)
        except (UnknownToken, UnusableToken) as error:
            await asyncio.sleep(services.brake.delay(address))
            raise services.brake.failed(address, error) from None

    def _check(self, caller: Caller, node: XDSNode, context: Any) -> None:
        """Raises AccessError, InvalidQuery."""
        access = self._services.access
        if not NAME.fullmatch(node.name):
            raise InvalidQuery("node.id must be up to 64 letters, digits and _ . : -")
        if caller is _BY_CERTIFICATE:
            if node.name not in _certified(context):
                raise Forbidden(f"the certificate is not for node {node.name}")
            return
        access.report(caller, node.colo or "", feeds_a_cache=True)


def _certified(context: Any) -> list[str]:
    """The names in the client's certificate, which is by the operator's CA."""
    found = context.auth_context() or {}
    names = [*found.get("x509_common_name", ()), *found.get("x509_subject_alternative_name", ())]
    return [name.decode("utf-8", "replace") for name in names]


def _address(peer: str) -> str:
    """The IP address in the name of a gRPC peer, such as ipv6:%5B::1%5D:4711."""
    _, _, rest = unquote(peer).partition(":")
    return rest.rpartition(":")[0].strip("[]")


def _name_of(error: OriginmapError) -> str:
    """The words of an error without a text of its own, such as "unknown token"."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
