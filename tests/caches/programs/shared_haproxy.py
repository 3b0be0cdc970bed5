"""HAProxy, with a frontend for colos with several caches, as in docs/exports.md."""

import time

from tests.caches.programs.haproxy import HAProxy
from tests.waiting import PATIENCE_SECONDS

_SEND_AGAIN_SECONDS = 2


class SharedHAProxy(HAProxy):
    """In the colo IAD; it fills from the origin if a request is marked or no sibling is up."""

    siblings = """
    acl marked req.hdr(X-Originmap-Colo) -m found
    acl to_hub req.hdr(X-Originmap-Colo) -m str hub
    acl alone var(txn.fill) -m str originmap_iad
    use_backend originmap-origin if marked !to_hub
    use_backend originmap-origin if alone { var(txn.fill),nbsrv eq 0 }
"""

    def reload(self) -> None:
        """Wait for the end of the reload, because HAProxy loses a signal that arrives before, and
        sometimes one that arrives soon after."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._loads():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        before = self._loads()
        sent = 0.0
        while self._loads() == before:
            now = time.monotonic()
            assert now < deadline, self.log()
            if now > sent + _SEND_AGAIN_SECONDS:
                super().reload()
                sent = now
            time.sleep(0.02)

    def _loads(self) -> int:
        return (self.folder / "log").read_text(errors="replace").count("Loading success")
