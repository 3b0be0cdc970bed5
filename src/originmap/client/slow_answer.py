"""Reports that a server takes long to answer, so that a command does not look stuck."""

import contextlib
import threading
from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 2.0


class SlowAnswers:
    """Calls `on_slow`, from another thread, when a wait for an answer exceeds `patience` seconds;
    once, because the next answers are most likely slow too."""

    def __init__(self, on_slow: Callable[[], None], patience: float = PATIENCE_SECONDS) -> None:
        self._on_slow = on_slow
        self._patience = patience
        self._reported = False

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Wait for one answer."""
        if self._reported:
            yield
            return
        timer = threading.Timer(self._patience, self._report)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _report(self) -> None:
        self._reported = True
        self._on_slow()
