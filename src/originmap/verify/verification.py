"""A run: every check in turn, then the cleaning up, whatever happened."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from originmap.domain.errors import OriginmapError
from originmap.verify.check import Check, CheckOutcome, try_check
from originmap.verify.errors import LeftBehind
from originmap.verify.zone_state import changed
from originmap.verify.zone_under_test import ZoneUnderTest

REQUESTS_PER_CHECK = 5
"""About as many requests as a check needs, with those that clean up."""
_STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def run_checks(
    checks: Sequence[Check],
    zone: ZoneUnderTest,
    on_check: Callable[[], None],
    on_stop: Callable[[], None],
) -> tuple[list[CheckOutcome], list[str]]:
    """The outcomes, and a line for each mapping of others that changed meanwhile.

    SIGINT, SIGTERM and SIGHUP stop the checks; `on_stop` is called, and what was created is
    deleted. A second signal stops the deletion. Raises KeyboardInterrupt, LeftBehind, ClientError,
    Throttled.
    """
    outcomes = []
    with _signals_interrupt():
        try:
            for check in checks:
                outcomes.append(try_check(check, zone))
                on_check()
            after = zone.clean_up()
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            _clean_up_again(zone, on_stop if stopped else lambda: None)
            raise
    return outcomes, changed(zone.before, after)


def _clean_up_again(zone: ZoneUnderTest, on_stop: Callable[[], None]) -> None:
    """Delete what a run that was stopped has left. Raises LeftBehind."""
    try:
        with contextlib.suppress(OSError):  # the terminal may be gone
            on_stop()
        zone.clean_up()
    except (OriginmapError, KeyboardInterrupt) as error:
        if zone.left:
            raise LeftBehind(zone.path, zone.left) from error


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise KeyboardInterrupt, like SIGINT."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
