"""Files that are sent as they are made: to whom, and until when."""

from falcon.asgi import Request, Response

from originmap.api.auth import Guard
from originmap.api.request import info_of
from originmap.api.stream import CUT_KEY
from originmap.domain.access import WRITE_ACCOUNT
from originmap.domain.access_errors import UnknownToken
from originmap.service.chunks import Chunks
from originmap.service.directory import Caller
from originmap.service.sessions import Sessions
from originmap.service.snapshots import SnapshotReader


class Files:
    """Sends files; each is cut off when its credential is revoked or expires."""

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        self._access = guard.access
        self._sessions = sessions

    def reader(self, caller: Caller) -> SnapshotReader:
        """Whose snapshot a file is made from."""
        return SnapshotReader(caller.id, self._access.everywhere(caller, WRITE_ACCOUNT))

    def send(self, req: Request, resp: Response, caller: Caller, chunks: Chunks) -> None:
        """Have `chunks` sent as the answer's body. The gate closes them. Raises UnknownToken where
        the credential was revoked while they were made ready."""
        info_of(req.scope).stream = chunks
        if not self._access.still(caller):
            raise UnknownToken
        resp.stream = chunks
        cut = req.scope.get(CUT_KEY)
        if cut is not None:
            chunks.on_close = self._sessions.open(caller, cut).close
