"""The server and the zone under test: sends requests, gives out addresses, and cleans up.

The rules that protect the zone are here. Only addresses that this run gave out are written or
deleted, and these had no mapping when it began. What names no address, such as a batch without
items, is sent only to a zone that had no mappings.
"""

from collections.abc import Iterable
from urllib.parse import quote, unquote

import msgspec

from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.verify.addresses import AddressPool, canonical
from originmap.verify.connection import ProbeConnection
from originmap.verify.errors import LeftBehind
from originmap.verify.probe import Probe, ServerAnswer
from originmap.verify.redaction import Redactor
from originmap.verify.zone_state import Listed, read_zone

MOST_WRONG_CREDENTIALS = 3
"""Well-formed but unknown credentials: a server blocks clients that send many."""
_MOST_CLEANING = 3
_READING = ("GET", "HEAD")


def addresses_named(probe: Probe) -> list[Address]:
    """The addresses in the last segment of a request's path and in its body."""
    texts = [unquote(probe.path.partition("?")[0].rpartition("/")[2])]
    try:
        body = msgspec.json.decode(probe.body or b"null")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        body = None
    for item in body if isinstance(body, list) else [body]:
        text = item.get("origin_ip") if isinstance(item, dict) else item
        texts += [text] if isinstance(text, str) else []
    return [address for text in texts if (address := canonical(text))]


class ZoneUnderTest:
    """A zone of a server. `before` has its mappings when the run began."""

    def __init__(
        self, connection: ProbeConnection, zone_id: str, redactor: Redactor, *, has_token: bool
    ) -> None:
        """Reads the zone's mappings. `has_token`: the credential is no key of a user. Raises
        ListRefused, ClientError."""
        self.id = zone_id
        self.path = f"/zones/{zone_id}/origin/cloud_regions"
        self.redactor = redactor
        self.has_token = has_token
        self.wrong_credentials = 0
        self._connection = connection
        self._ours: set[Address] = set()
        self._written: dict[str, None] = {}  # in the order of writing
        self.before = self.read()
        self._pool = AddressPool({address for text in self.before if (address := canonical(text))})

    def send(self, probe: Probe) -> ServerAnswer:
        """The answer to a request. Raises ClientError, Throttled; RuntimeError for a request that
        a check must not send."""
        if probe.method in _READING:
            return self._connection.send(probe)
        named = addresses_named(probe)
        self._protect(probe, named)
        if probe.method == "DELETE":
            return self._connection.send(probe)
        texts = [text for each in named if (text := addresses.text(each)) not in self._written]
        self._written |= dict.fromkeys(texts)
        answer = self._connection.send(probe)
        if answer.status >= 400:  # reading the zone at the end finds what it wrote nevertheless
            self._forget(texts)
        return answer

    def read(self) -> Listed:
        """Every mapping of the zone now. Raises ListRefused, ClientError."""
        return read_zone(self.send, self.path)

    def take(self, start: str) -> str | None:
        """An address for this run that starts with `start`; None if there is none."""
        address = self._pool.take(start)
        parsed = None if address is None else canonical(address)
        if parsed is not None:
            self._ours.add(parsed)
        return address

    def has_only_ours(self) -> bool:
        """Whether the zone has no mappings now but those of this run."""
        return not self.before and all(canonical(text) in self._ours for text in self.read())

    def delete_written(self) -> None:
        """Delete what was written so far, one by one. Raises ClientError, Throttled."""
        for address in list(self._written):
            if self._delete(address) in (200, 404):
                self._forget([address])

    @property
    def left(self) -> list[str]:
        """What this run wrote, and may not have deleted."""
        return list(self._written)

    def clean_up(self) -> Listed:
        """Delete everything of this run, and read the zone to see it gone. Returns the zone's
        mappings then. Raises LeftBehind, ListRefused, ClientError, Throttled."""
        self.delete_written()
        for _ in range(_MOST_CLEANING):
            after = self.read()
            self._written = dict.fromkeys(text for text in after if self._is_ours(text))
            if not self._written:
                return after
            for address in self._written:
                self._delete(address)
        raise LeftBehind(self.path, self.left)

    def _protect(self, probe: Probe, named: list[Address]) -> None:
        """Raise RuntimeError for what could harm other mappings of the zone."""
        if not self._ours.issuperset(named):
            raise RuntimeError(f"{probe} names an address that is not of this run")
        last = probe.path.partition("?")[0].rpartition("/")[2]
        if not named and self.before and last in ("batch", "cloud_regions", ""):
            raise RuntimeError(f"{probe} names no address, and the zone has other mappings")

    def _is_ours(self, text: str) -> bool:
        return text not in self.before and canonical(text) in self._ours

    def _delete(self, address: str) -> int:
        return self.send(Probe("DELETE", f"{self.path}/{quote(address, safe=':')}")).status

    def _forget(self, texts: Iterable[str]) -> None:
        for address in texts:
            self._written.pop(address, None)
