"""The addresses of upper tiers' names, for caches that take one address of a name or none.

Varnish refuses a name with two addresses of a family, HAProxy takes the first. Only names with
several are given with their addresses: any other stays a name in the files.
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
    """The addresses of each name that answers within LIMIT_SECONDS, sorted; a family that this
    machine has no way to is left out where the other one has addresses."""
    asked, found = queue.SimpleQueue[str](), dict[str, tuple[str, ...]]()
    for name in names:
        asked.put(name)

    def work() -> None:
        while not asked.empty():
            try:
                name = asked.get_nowait()
                addresses = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            except (queue.Empty, OSError, UnicodeError):
                continue
            found[name] = _usable({str(address[0]) for *_, address in addresses})

    # As daemons: a name server that does not answer must not keep the program from ending.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(_THREADS, len(names)))]
    deadline = time.monotonic() + LIMIT_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return dict(found)


class NameLookup:
    """The names that an agent's upper tiers listen on. What was found last counts until something
    else is found."""

    def __init__(self, lookup: Lookup, on_change: Callable[[], None]) -> None:
        self._lookup = lookup
        self._on_change = on_change
        self._known: dict[str, tuple[str, ...]] = {}
        self._silent: frozenset[str] = frozenset()

    async def addresses(self, names: Collection[str]) -> Addresses:
        """The addresses of these names, those that were not asked about before looked up now."""
        new = [name for name in names if name not in self._known]
        if new:
            self._known.update(dict.fromkeys(new, ()))
            await self._look(new)
        return {name: self._known[name] for name in names if self._known[name]}

    async def run(self) -> None:
        """Look every name up again from time to time, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Look every name up again; `on_change` is told of another answer."""
        before = dict(self._known)
        await self._look(list(before))
        if before != {name: self._known[name] for name in before}:
            self._on_change()

    async def _look(self, names: Collection[str]) -> None:
        found = await asyncio.to_thread(self._lookup, names)
        self._known.update(found)
        silent = (self._silent - found.keys()) | (set(names) - found.keys())
        if silent - self._silent:
            data = {"names": sorted(silent), "why": "they have no address, or no answer came"}
            _LOG.warning("upper tiers keep the addresses they had", extra={"data": data})
        self._silent = frozenset(silent)


def _usable(addresses: Iterable[str]) -> tuple[str, ...]:
    """Without scoped addresses, which no file can name."""
    ordered = sorted((ip_address(text) for text in addresses if "%" not in text), key=_order)
    reached = [ip for ip in ordered if _has_way(str(ip))]
    return tuple(map(str, reached or ordered))


def _order(ip: object) -> tuple[int, object]:
    return getattr(ip, "version", 0), ip


def _has_way(address: str) -> bool:
    """Whether this machine has a route there; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True
