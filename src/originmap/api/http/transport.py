"""A transport whose client may be gone."""

import asyncio


class SafeTransport:
    """The transport of a connection, to which nothing is done once it is closing: between a reset
    by the client and `connection_lost`, uvloop raises RuntimeError for a call on it."""

    __slots__ = (
        "_transport", "abort", "close", "get_extra_info", "get_write_buffer_size", "is_closing",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.abort = transport.abort
        self.close = transport.close
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
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
