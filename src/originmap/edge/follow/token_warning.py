"""Warns once if the agent's token has more access than an edge node needs."""

import asyncio
import logging
from collections.abc import Sequence

from originmap.domain.history.record import Key, Kind, RecordChange
from originmap.service.feed.replication import Replication
from originmap.store.port import Store

_LOG = logging.getLogger(__name__)
_SECRET = (Kind.USER, Kind.TOKEN)
_LOOK_SECONDS = 1.0
ADVICE = (
    "the token gives this node the hashes of all credentials: create a token for nodes with"
    " originmap token create NAME --access edge"
)


class TokenWarning:
    """Watches the replica for records of credentials."""

    def __init__(self, store: Store, replication: Replication) -> None:
        self._replication = replication
        self._secret: set[Key] = set()
        store.follow_records(self._apply)

    @property
    def needed(self) -> bool:
        """Whether the primary sends records of credentials. False while disconnected: the local
        copy may have been fetched with an earlier token."""
        return self._replication.connected and bool(self._secret)

    async def run(self) -> None:
        """Log the warning once, also if the token gets more access later."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.needed:
                _LOG.warning(ADVICE)
                return

    def _apply(self, changes: Sequence[RecordChange]) -> None:
        for change in changes:
            if change.key.kind in _SECRET and change.after is not None:
                self._secret.add(change.key)
            else:
                self._secret.discard(change.key)
