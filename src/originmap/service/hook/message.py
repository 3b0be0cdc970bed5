"""Messages of hooks: a change as in the feed, or a ping."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from originmap.domain.history.change import Change
from originmap.domain.hook.hook import Hook
from originmap.domain.hook.signature import signed_headers
from originmap.domain.mapping.mapping import MappingChange
from originmap.feed.changes_json import MAPPING, changes_json, moment

_ENCODER = msgspec.json.Encoder()


class Sender(Protocol):
    """Sends messages to one receiver."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> str:
        """Send a message; return "" if the receiver accepted it, else the reason."""

    async def close(self) -> None:
        """Close the connection."""


NewSender = Callable[[], Sender]


class HookMessage(NamedTuple):
    """The body of a request and its ID, the same in every attempt."""

    id: str
    body: bytes

    def send(self, sender: Sender, hook: Hook, now: int) -> Awaitable[str]:
        """Send the message, signed at the time `now`, in microseconds since 1970 UTC."""
        headers = signed_headers(hook.secret, self.id, now, self.body)
        headers |= {"content-type": "application/json", "user-agent": "originmap"}
        return sender.send(hook.url, headers, self.body)


def kind_of(change: Change) -> str:
    """The kind of a change, as in the feed."""
    what = change.what
    return MAPPING if isinstance(what, MappingChange) else what.key.kind.value


def message_of(change: Change) -> HookMessage:
    """The message about a change. Its ID is the same on every server that has the change, so that
    receivers recognize it after a promotion too."""
    (encoded,) = changes_json([change])
    return HookMessage(f"{change.revision}-{change.at}", _ENCODER.encode(encoded))


def ping(hook: Hook, now: int) -> HookMessage:
    """A message that says nothing; its kind is `ping`."""
    body = {"kind": "ping", "at": moment(now), "hook": hook.name}
    return HookMessage(f"ping-{now}", _ENCODER.encode(body))
