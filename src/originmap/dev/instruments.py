"""What the application of a development server and its control share."""

from typing import NamedTuple

from originmap.dev.clock import ControlledClock
from originmap.dev.faults import Faults
from originmap.dev.journal import RequestJournal
from originmap.dev.strictness import Strictness


class Instruments(NamedTuple):
    """The instruments of tests."""

    clock: ControlledClock
    faults: Faults
    journal: RequestJournal
    strictness: Strictness
