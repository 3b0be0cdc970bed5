"""A transport whose client may be gone."""

import asyncio
from typing import Any


class SafeTransport:
    """Stands in for a connection's transport. Between a reset and the moment that the protocol
    hears of it, uvloop raises for whatever is done with a transport; here it does nothing."""

    __slots__ = ("_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send `data`, unless the connection is closing."""
        if not self.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Send nothing more."""
        if not self.is_closing():
            self._transport.write_eof()

    def pause_reading(self) -> None:
        """Take nothing more for now."""
        if not self.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take what comes again."""
        if not self.is_closing():
            self._transport.resume_reading()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
