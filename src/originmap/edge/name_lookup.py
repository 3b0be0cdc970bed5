"""Resolves the hostnames of upper tiers, for caches that cannot use several addresses of a name.

Varnish rejects a name with two addresses of one family; HAProxy uses only the first. Only names
with several addresses are replaced by them in the files; other names are written as they are.
"""

import asyncio
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable
from ipaddress import ip_address

from originmap.export.endpoint import Addresses

_LOG = logging.getLogger(__name__)
LIMIT_SECONDS = 5.0
_EVERY_SECONDS = 30.0
_THREADS = 32

Lookup = Callable[[Collection[str]], Addresses]


def look_up(names: Collection[str]) -> Addresses:
    """The sorted addresses of each name that resolves within LIMIT_SECONDS. If this machine has a
    route to only one address family, the addresses of the other are left out."""
    pending, resolved = queue.SimpleQueue[str](), dict[str, tuple[str, ...]]()
    for name in names:
        pending.put(name)

    def work() -> None:
        while not pending.empty():
            try:
                name = pending.get_nowait()
                addresses = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            except (queue.Empty, OSError, UnicodeError):
                continue
            resolved[name] = _usable({str(address[0]) for *_, address in addresses})

    # Daemon threads: a name server that does not respond must not keep the program running.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_THREADS, len(names)))]
    deadline = time.monotonic() + LIMIT_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return dict(resolved)


class NameLookup:
    """Resolves the hostnames of an agent's upper tiers. A name that stops resolving keeps its last
    addresses."""

    def __init__(self, lookup: Lookup, on_change: Callable[[], None]) -> None:
        self._lookup = lookup
        self._on_change = on_change
        self._known: dict[str, tuple[str, ...]] = {}
        self._failed: frozenset[str] = frozenset()

    async def addresses(self, names: Collection[str]) -> Addresses:
        """The addresses of these names; new names are resolved now."""
        new = [name for name in names if name not in self._known]
        if new:
            self._known.update(dict.fromkeys(new, ()))
            await self._resolve(new)
        return {name: self._known[name] for name in names if self._known[name]}

    async def run(self) -> None:
        """Resolve every name again at intervals, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Resolve every name again; call `on_change` if any address changed."""
        before = dict(self._known)
        await self._resolve(list(before))
        if before != {name: self._known[name] for name in before}:
            self._on_change()

    async def _resolve(self, names: Collection[str]) -> None:
        resolved = await asyncio.to_thread(self._lookup, names)
        self._known.update(resolved)
        failed = (self._failed - resolved.keys()) | (set(names) - resolved.keys())
        if failed - self._failed:
            data = {"names": sorted(failed), "why": "no address, or no response in time"}
            _LOG.warning(
                "cannot resolve upper tiers; using the last addresses", extra={"data": data}
            )
        self._failed = frozenset(failed)


def _usable(addresses: Iterable[str]) -> tuple[str, ...]:
    """The reachable addresses, in order, without scoped ones, which the files cannot contain."""
    ordered = sorted((ip_address(text) for text in addresses if "%" not in text), key=_order)
    reachable = [ip for ip in ordered if _has_route(str(ip))]
    return tuple(map(str, reachable or ordered))


def _order(ip: object) -> tuple[int, object]:
    return getattr(ip, "version", 0), ip


def _has_route(address: str) -> bool:
    """Whether this machine has a route to the address. Sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True
