"""Files that are sent as they are made: to whom, and until when."""

from originmap.api.guard import Guard
from originmap.api.http.request import Request
from originmap.domain.access.errors import UnknownToken
from originmap.domain.access.permissions import WRITE_ACCOUNT
from originmap.service.access.directory import Caller
from originmap.service.access.sessions import Sessions
from originmap.service.chunks import Chunks
from originmap.service.feed.snapshots import SnapshotReader


class Files:
    """Sends files; each is cut off when its credential is revoked or expires."""

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        self._access = guard.access
        self._sessions = sessions

    def reader(self, caller: Caller) -> SnapshotReader:
        """Whose snapshot a file is made from."""
        return SnapshotReader(caller.id, self._access.everywhere(caller, WRITE_ACCOUNT))

    async def body(self, request: Request, chunks: Chunks) -> Chunks:
        """`chunks` as the body of the answer, which closes them. Raises UnknownToken if the
        credential was revoked while they were made ready."""
        if not self._access.still(request.caller):
            await chunks.aclose()
            raise UnknownToken
        chunks.on_close = self._sessions.open(request.caller, request.link.cut).close
        return chunks
