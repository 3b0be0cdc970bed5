"""Builds the listener for nodes that run Envoy, and imports gRPC only if there is one."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from originmap.bootstrap import Opened
from originmap.domain.errors import OriginmapError
from originmap.service.access.access import Access
from originmap.service.access.brake import Brake
from originmap.service.access.sessions import Sessions
from originmap.service.background import running
from originmap.settings import Settings, host_and_port
from originmap.store.clock import Clocks

if TYPE_CHECKING:
    from originmap.edge.follow.report_relay import ReportRelay

_EXTERNAL = ("envoy", "google", "grpc")


class MissingExtra(OriginmapError):
    """A feature needs packages that are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed")
        self.hint = f"pip install 'originmap[{extra}]'"


@contextlib.asynccontextmanager
async def serving_nodes(
    settings: Settings,
    opened: Opened,
    clocks: Clocks,
    relay: "ReportRelay | None",
    stop: Callable[[], None],
) -> AsyncIterator[None]:
    """Serve xDS if the settings have an address for it. `relay` is that of a replica; `stop` is
    called if the resources cannot be kept up to date. Raises CannotListen, MissingExtra."""
    if not settings.xds:
        yield
        return
    try:
        from originmap.xds.group import Sources
        from originmap.xds.groups import ResourceGroups
        from originmap.xds.server import XDSListener, serving_xds
        from originmap.xds.services import XDSServices
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTERNAL:
            raise
        raise MissingExtra("--xds", "envoy") from None
    store, directory = opened.store, opened.directory
    turns = opened.topologies.turns
    groups = ResourceGroups(Sources(store, directory, opened.exports, turns))
    access = Access(directory, clocks.wall)
    services = XDSServices(
        store=store,
        access=access,
        directory=directory,
        brake=Brake(clocks.elapsed, enabled=settings.slow_guessing),
        sessions=Sessions(store, access, clocks.wall),
        reports=relay or opened.followers,
        rollouts=opened.rollouts,
        groups=groups,
        counts=opened.stream_counts,
    )
    host, port = host_and_port(settings.xds)
    listener = XDSListener(host, port, settings.xds_cert, settings.xds_key, settings.xds_client_ca)
    async with running(groups.run(), stop), serving_xds(listener, services):
        yield
