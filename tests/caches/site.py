"""A cache with its own environment: a server, three upstream servers, and an agent."""

from collections.abc import Mapping
from pathlib import Path

from tests.caches.network import ADDRESSES, Machine, free_port
from tests.caches.node import Edge
from tests.caches.primary import NEAR_IAD, PLACES, put, set_topology
from tests.caches.programs.cache import Cache
from tests.process import Server


class Site:
    """Starts and stops all parts; a context manager."""

    def __init__(self, folder: Path, kind: type[Cache]) -> None:
        self.folder = folder
        self.port = free_port()
        self.machines: Mapping[str, Machine] = {name: Machine(name) for name in ADDRESSES}
        (folder / "cache").mkdir()
        self.cache = kind(folder / "cache", self.machines)
        self.cache.check_installed()
        self.cache.prepare()
        self.server = self.serve()
        self.edge = Edge(self.server, self.cache, folder)
        self.file = self.cache.folder / "originmap.conf"

    def serve(self) -> Server:
        """Start the server."""
        return Server(str(self.folder / "dev.db"), self.folder, args=["--port", str(self.port)])

    def refresh(self) -> None:
        """Start all parts, with the origin near IAD."""
        if self.server.process.poll() is not None:
            self.server = self.serve()
        if not self.edge.is_running:
            self.edge.start()
        put(self.server, NEAR_IAD)
        self.edge.serves_all(self.server)

    def __enter__(self) -> "Site":
        set_topology(self.server, PLACES)
        put(self.server, NEAR_IAD)
        self.edge.start()
        self.edge.waits_for(lambda: self.edge.written(self.cache), "its files")
        self.cache.start()
        self.edge.serves_all(self.server)
        return self

    def __exit__(self, *of: object) -> None:
        self.edge.__exit__(None, None, None)
        self.cache.__exit__(None, None, None)
        self.server.__exit__(None, None, None)
        for machine in self.machines.values():
            machine.stop()
