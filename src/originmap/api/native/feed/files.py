"""Streamed files, and the credentials that they depend on."""

from collections.abc import AsyncGenerator

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.domain.access.errors import UnknownToken
from originmap.domain.access.permissions import WRITE_ACCOUNT
from originmap.service.access.directory import Caller
from originmap.service.access.sessions import Sessions
from originmap.service.chunks import Chunks
from originmap.service.feed.snapshots import SnapshotReader


class Files:
    """Streams files; a stream is aborted when its credential is revoked or expires."""

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        self._access = guard.access
        self._sessions = sessions

    def reader(self, caller: Caller) -> SnapshotReader:
        """The reader for snapshots, as which the caller is counted."""
        return SnapshotReader(caller.id, self._access.everywhere(caller, WRITE_ACCOUNT))

    async def body(self, request: Request, chunks: Chunks) -> Chunks:
        """A response body of `chunks`, which closes them. Raises UnknownToken if the credential
        was revoked while they were prepared."""
        if not self._access.still(request.caller):
            await chunks.aclose()
            raise UnknownToken
        chunks.on_close = self._sessions.open(request.caller, request.link.cut).close
        return chunks


async def nothing() -> AsyncGenerator[bytes, None]:
    """The body of a response to HEAD. As a stream it has no Content-Length, because the length is
    unknown in advance (RFC 9110 §9.3.2)."""
    return
    yield b""
